//! How does the program log, and on what does it run?

use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

use super::exit::Failure;

/// What is logged where nothing else is asked for. rsipstack logs whole messages at `info`, credentials included,
/// and warns of whatever a stranger sends.
const FILTER: &str = "info,rsipstack=error";

/// Begins to log to standard error; `RUST_LOG` chooses what.
pub(super) fn start() {
    let asked = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    // The last directive of a target wins, so nothing that is asked for shows the SIP stack's messages by accident.
    let filter = asked.map_or_else(
        || FILTER.to_owned(),
        |filter| match filter.contains("rsipstack") {
            true => filter,
            false => format!("{filter},rsipstack=error"),
        },
    );
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(FILTER));
    let colour = std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_target(false)
        .init();
}

/// The runtime of a command that talks to something.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new("runtime", format!("the program cannot start its threads: {error}")))
}
