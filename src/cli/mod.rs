//! What does the user ask for?
//!
//! One file a subcommand; exit codes in `exit`.

mod agent;
mod apply;
mod compile;
mod completions;
mod daemon;
mod doctor;
mod exit;
mod explain;
mod fix;
mod fmt;
mod graph;
mod impact;
mod init;
mod key;
mod log;
mod lsp;
mod man;
mod plan;
mod replay;
mod route;
mod schema;
mod show;
mod target;
mod test;
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
    /// Writes a small working configuration to begin with.
    Init(init::Init),
    /// Checks a configuration, and shows everything that is wrong with it.
    #[command(visible_alias = "check")]
    Validate(validate::Validate),
    /// Lays the files out in the one way.
    Fmt(fmt::Fmt),
    /// Says what a finding means, and what to write instead.
    Explain(explain::Explain),
    /// Prints the JSON Schema of a configuration, for editors.
    Schema(schema::Schema),
    /// Serves editors, over the Language Server Protocol.
    Lsp(lsp::Lsp),
    /// Shows what would change, without changing anything.
    Plan(plan::PlanCommand),
    /// Makes live state as the files say.
    Apply(apply::Apply),
    /// Lists the live numbers, gateways and rules.
    Show(show::Show),
    /// Checks that the API can be reached and used, and says what it is like.
    Doctor(doctor::Doctor),
    /// Decides a call that nobody makes, and says why.
    Route(route::Route),
    /// Decides the calls of the configuration's tests, and compares.
    Test(test::Test),
    /// Decides calls of a list by two configurations, and says which change.
    Replay(replay::Replay),
    /// Draws which numbers lead to which rules, rooms and agents.
    Graph(graph::Graph),
    /// Serves the REST API and real calls, as the files say, and follows them.
    Daemon(daemon::Daemon),
    /// Works with the AI agents that calls are joined to.
    Agent(agent::Agent),
    /// Makes, lists and revokes API keys.
    Key(key::Key),
    /// Prints a token for the REST API.
    Token(token::Token),
    /// Prints the completions of a shell.
    Completions(completions::Completions),
    /// Prints the manual page, or writes one for every command.
    Man(man::Man),
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
        Command::Init(command) => command.run(),
        Command::Validate(command) => command.run(),
        Command::Fmt(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Lsp(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Apply(command) => command.run(),
        Command::Show(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Route(command) => command.run(),
        Command::Test(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::Graph(command) => command.run(),
        Command::Daemon(command) => command.run(),
        Command::Agent(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    done.unwrap_or_else(|failure| {
        failure.print();
        Exit::Failed
    })
}
