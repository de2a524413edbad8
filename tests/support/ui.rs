//! One run of the program in an environment of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a run of the program left behind, as it is kept in a snapshot.
#[derive(Debug)]
pub struct Run {
    pub stdout: String,
    pub stderr: String,
    pub code: String,
}

/// A directory of its own for one case: the files, a home, and perhaps a daemon to talk to.
pub struct Place {
    directory: tempfile::TempDir,
    daemon: Option<Daemon>,
}

impl Place {
    /// A place whose working directory holds what `files` holds; an absent folder is an empty one.
    pub fn with(files: &Path) -> Self {
        let place = Self { directory: tempfile::tempdir().expect("a temporary directory"), daemon: None };
        for part in ["in", "home"] {
            std::fs::create_dir(place.directory.path().join(part)).expect("a fresh directory");
        }
        copy(files, &place.files());
        place
    }

    /// The working directory.
    pub fn files(&self) -> PathBuf {
        self.directory.path().join("in")
    }

    /// Starts a daemon that serves the configuration in a folder, for the program to find.
    pub fn serve(&mut self, configuration: &Path) {
        let served = self.directory.path().join("served");
        std::fs::create_dir(&served).expect("a fresh directory");
        copy(configuration, &served);
        let mut command = self.program();
        command.args(["daemon", "--api", "127.0.0.1:0", "--sip", "127.0.0.1:0"]).arg(served);
        self.daemon = Some(Daemon::start(command));
    }

    /// Runs the program with arguments that are separated by spaces.
    pub fn run(&self, arguments: &str) -> Run {
        let mut command = self.program();
        command.current_dir(self.files()).args(arguments.split_whitespace()).stdin(Stdio::null());
        let output = command.output().expect("the program starts");
        let code = output.status.code().map_or_else(|| "killed by a signal".to_owned(), |code| code.to_string());
        let text = |bytes: Vec<u8>| self.placeholders(&String::from_utf8(bytes).expect("the program writes UTF-8"));
        Run { stdout: text(output.stdout), stderr: text(output.stderr), code: code + "\n" }
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
        command.env_clear().env("NO_COLOR", "1").env("COLUMNS", "100");
        command.env("HOME", self.directory.path().join("home"));
        command.env("STROWGER_DATA_DIR", self.directory.path().join("data"));
        command
    }

    /// Replaces what differs from run to run and from version to version.
    fn placeholders(&self, text: &str) -> String {
        let directory = self.directory.path().display().to_string();
        let text = text.replace(&directory, "[DIR]");
        let version = concat!("strowger ", env!("CARGO_PKG_VERSION"));
        let mut text = text.replace(version, "strowger [VERSION]");
        if let Some(daemon) = &self.daemon {
            text = text.replace(&daemon.api, "[API]");
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.find(id_character) {
            let word = &rest[start..];
            let word = &word[..word.find(|c| !id_character(c)).unwrap_or(word.len())];
            out.push_str(&rest[..start]);
            out.push_str(if is_id(word) { "[ID]" } else { word });
            rest = &rest[start + word.len()..];
        }
        out + rest
    }
}

fn id_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Ids of the served API are a short prefix, `_` and 32 hexadecimal digits.
fn is_id(word: &str) -> bool {
    word.rsplit_once('_').is_some_and(|(_, digits)| digits.len() == 32 && digits.chars().all(|c| c.is_ascii_hexdigit()))
}

/// A daemon that runs as long as this value lives.
struct Daemon {
    child: Child,
    api: String,
}

impl Daemon {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut api = None;
        for line in lines.by_ref() {
            let line = line.expect("the daemon writes UTF-8");
            if let Some(address) = line.trim().strip_prefix("api    http://") {
                api = Some(address.to_owned());
            }
            if line.starts_with("ready:") {
                break;
            }
        }
        Self { child, api: api.expect("the daemon becomes ready and tells where its API is") }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn copy(from: &Path, to: &Path) {
    let Ok(entries) = std::fs::read_dir(from) else { return };
    for entry in entries {
        let path = entry.expect("a readable directory").path();
        let target = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            std::fs::create_dir(&target).expect("a fresh directory");
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a file that can be copied");
        }
    }
}
