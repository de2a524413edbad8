//! `strowger schema`

use clap::Args;

use crate::syntax;

use super::exit::{Exit, Failure, print};

/// Prints the JSON Schema of a configuration, for editors.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger schema > strowger.schema.json\n\nand as the first line of strowger.toml:\n  #:schema ./strowger.schema.json"
)]
pub(super) struct Schema {}

impl Schema {
    pub fn run(self) -> Result<Exit, Failure> {
        print(format_args!("{:#}\n", syntax::schema()));
        Ok(Exit::Done)
    }
}
