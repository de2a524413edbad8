//! `strowger completions`

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::Cli;
use super::exit::{Exit, Failure, print};

/// Prints the completions of a shell.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger completions bash > ~/.local/share/bash-completion/completions/strowger\n  strowger completions zsh > ~/.zfunc/_strowger\n  strowger completions fish > ~/.config/fish/completions/strowger.fish"
)]
pub(super) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub fn run(self) -> Result<Exit, Failure> {
        let mut out = Vec::new();
        generate(self.shell, &mut Cli::command(), "strowger", &mut out);
        print(String::from_utf8_lossy(&out));
        Ok(Exit::Done)
    }
}
