//! `strowger man`

use std::path::PathBuf;

use clap::{Args, CommandFactory};

use super::Cli;
use super::exit::{Exit, Failure, print};

/// Prints the manual page, or writes one for every command into a directory.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strowger man | man -l -\n  strowger man ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Where the pages go, one a command; it is made when it is not there.
    dir: Option<PathBuf>,
}

impl Man {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(dir) = self.dir else {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|error| Failure::new("man", error))?;
            print(String::from_utf8_lossy(&page));
            return Ok(Exit::Done);
        };
        let written = std::fs::create_dir_all(&dir).and_then(|()| clap_mangen::generate_to(Cli::command(), &dir));
        written.map_err(|error| {
            Failure::new("man", format!("the pages cannot be written to {}: {error}", dir.display()))
                .help("give a directory that you may write")
        })?;
        Ok(Exit::Done)
    }
}
