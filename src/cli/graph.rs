//! `strowger graph`

use clap::{Args, ValueEnum};

use crate::route;

use super::compile::{PathArg, compile};
use super::exit::{Exit, Failure, print};

/// Draws which numbers lead to which rules, rooms and agents, and by which gateways calls come and go.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger graph examples/quickstart > routing.svg\n  strowger graph --format mermaid"
)]
pub(super) struct Graph {
    #[command(flatten)]
    path: PathArg,
    /// How it is drawn.
    #[arg(long, value_enum, default_value_t = FormatArg::Svg)]
    format: FormatArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatArg {
    /// A picture that stands alone, in light and in dark.
    Svg,
    /// For a README.
    Mermaid,
    /// For Graphviz.
    Dot,
}

impl Graph {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(compiled) = compile(&self.path)? else { return Ok(Exit::Failed) };
        let graph = route::Graph::of(&compiled.exchange.book());
        print(match self.format {
            FormatArg::Svg => graph.svg(compiled.exchange.stack().as_str()),
            FormatArg::Mermaid => graph.mermaid(),
            FormatArg::Dot => graph.dot(),
        });
        Ok(Exit::Done)
    }
}
