//! `strowger init`

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::source::ROOT_FILE;

use super::exit::{Exit, Failure, print};

/// Writes a small working configuration to begin with.
///
/// It never overwrites a file.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strowger init phones\n  strowger init --ci github")]
pub(super) struct Init {
    /// Where to; it is made when it is not there.
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Write also what checks the files on every change.
    #[arg(long, value_enum)]
    ci: Option<Ci>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Ci {
    /// A workflow of GitHub Actions.
    Github,
}

const STACK: &str = include_str!("init/strowger.toml");
const WORKFLOW: &str = include_str!("init/github.yml");
const WORKFLOW_FILE: &str = ".github/workflows/strowger.yml";

impl Init {
    pub fn run(self) -> Result<Exit, Failure> {
        let mut files = vec![(self.dir.join(ROOT_FILE), STACK.to_owned())];
        if let Some(Ci::Github) = self.ci {
            // A workflow is read at the top of the repository alone.
            let top = repository(&self.dir);
            let inside = top.as_ref().and_then(|top| Some((top, absolute(&self.dir)?)));
            let path = inside.and_then(|(top, dir)| Some(dir.strip_prefix(top).ok()?.display().to_string()));
            let path = path.filter(|path| !path.is_empty()).unwrap_or_else(|| ".".to_owned());
            let workflow = top.unwrap_or_else(|| self.dir.clone()).join(WORKFLOW_FILE);
            files.push((workflow, WORKFLOW.replace("{{path}}", &quoted(&path))));
        }
        // Looked at first, so that a refusal leaves nothing behind.
        if let Some((there, _)) = files.iter().find(|(path, _)| path.symlink_metadata().is_ok()) {
            return Err(Failure::new("init", format!("{} is there already", there.display()))
                .help("nothing was written; give another directory, or move the file away"));
        }
        for (path, text) in &files {
            let refused = |error| Failure::new("init", format!("{} cannot be written: {error}", path.display()));
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(refused)?;
            let new = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
            new.and_then(|mut file| file.write_all(text.as_bytes())).map_err(refused)?;
            print(format_args!("wrote {}\n", path.display()));
        }
        let place = if self.dir == Path::new(".") { String::new() } else { format!(" {}", self.dir.display()) };
        print(format_args!("\nNext: strowger validate{place}, then strowger daemon{place}\n"));
        Ok(Exit::Done)
    }
}

fn absolute(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    Some(path.canonicalize().unwrap_or(path))
}

/// The top of the git repository that a directory lies in, if it lies in one.
fn repository(dir: &Path) -> Option<PathBuf> {
    absolute(dir)?.ancestors().find(|dir| dir.join(".git").exists()).map(Path::to_path_buf)
}

/// A path as a shell in a YAML line reads it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}
