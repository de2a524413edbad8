//! Arguments in, exit code out.

use strowger::cli::{Exit, run};

fn main() -> Exit {
    run()
}
