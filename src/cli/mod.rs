//! What does the user ask for?
//!
//! One file a subcommand; exit codes in `exit`.

mod agent;
mod apply;
mod compile;
mod daemon;
mod exit;
mod explain;
mod impact;
mod log;
mod plan;
mod route;
mod schema;
mod target;
mod token;
mod validate;

use clap::{Parser, Subcommand};

pub use exit::Exit;

/// Telephony as code: phone numbers, SIP gateways and routing rules, from TOML to answered calls.
#[derive(Debug, Parser)]
#[command(name = "strowger", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks a configuration, and shows everything that is wrong with it.
    #[command(visible_alias = "check")]
    Validate(validate::Validate),
    /// Says what a finding means, and what to write instead.
    Explain(explain::Explain),
    /// Prints the JSON Schema of a configuration, for editors.
    Schema(schema::Schema),
    /// Shows what would change, without changing anything.
    Plan(plan::PlanCommand),
    /// Makes live state as the files say.
    Apply(apply::Apply),
    /// Decides a call that nobody makes, and says why.
    Route(route::Route),
    /// Serves the REST API and real calls, as the files say, and follows them.
    Daemon(daemon::Daemon),
    /// Works with the AI agents that calls are joined to.
    Agent(agent::Agent),
    /// Prints a token for the REST API.
    Token(token::Token),
}

/// Runs the program on its arguments.
pub fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done };
        }
    };
    let done = match cli.command {
        Command::Validate(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Apply(command) => command.run(),
        Command::Route(command) => command.run(),
        Command::Daemon(command) => command.run(),
        Command::Agent(command) => command.run(),
        Command::Token(command) => command.run(),
    };
    done.unwrap_or_else(|failure| {
        failure.print();
        Exit::Failed
    })
}
