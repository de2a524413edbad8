//! `strowger apply`

use std::io::{BufRead, IsTerminal, Write};

use clap::Args;

use crate::plan::Memory;
use crate::source;
use crate::sync::{self, write_memory};

use super::compile::{PathArg, compile};
use super::exit::{Exit, Failure, print};
use super::log::runtime;
use super::plan::{LOCK_FILE, Planned, make, plan, show};
use super::target::Target;

/// Makes live state as the files say.
///
/// Shows the plan and asks, unless told not to. A run that is cut off anywhere is taken up by the next one.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strowger apply examples/quickstart --auto-approve")]
pub(super) struct Apply {
    #[command(flatten)]
    path: PathArg,
    #[command(flatten)]
    target: Target,
    /// Do not ask.
    #[arg(long)]
    auto_approve: bool,
}

impl Apply {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(compiled) = compile(&self.path)? else { return Ok(Exit::Failed) };
        let runtime = runtime()?;
        let planned = runtime.block_on(make(compiled, &self.target))?;
        show(&planned.plan);
        if !planned.plan.blocked.is_empty() {
            return Ok(Exit::Failed);
        }
        if !planned.plan.steps.is_empty() && !self.auto_approve && !approved()? {
            eprintln!("Not approved; nothing was changed.");
            return Ok(Exit::Failed);
        }
        runtime.block_on(carry_out(planned))
    }
}

fn approved() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        let failure = Failure::new("approval", "there is no terminal to ask on, and nothing was changed");
        return Err(failure.help("give --auto-approve to apply without asking"));
    }
    eprint!("\nType yes to apply: ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::new("approval", format!("the answer cannot be read: {error}")))?;
    Ok(answer.trim() == "yes")
}

async fn carry_out(planned: Planned) -> Result<Exit, Failure> {
    let Planned { compiled, client, memory, plan: to_do } = planned;
    let directory = compiled.set.directory.clone();
    let secret = |reference: &_| source::resolve(reference, &directory).map_err(|error| error.to_string());
    if !to_do.steps.is_empty() {
        print("\n");
    }
    let applied = sync::apply(&to_do, &compiled.exchange, &client, secret, |_, done| {
        let id = done.id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
        print(format_args!("done: {}{id}\n", done.object));
    });
    let applied = applied.await;
    let kept = to_do.kept.iter().copied();
    let remember = Memory::of(&compiled.exchange, client.endpoint(), &memory, kept);
    write_memory(&directory.join(LOCK_FILE), &remember).map_err(|error| Failure::new("lock", error))?;
    if let Some((step, error)) = applied.failed {
        let place = step.place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
        let failure = Failure::new("apply", format!("{}{place} failed: {error}", step.object));
        return Err(failure.help(format!(
            "{} steps were done and stay done, {} were not begun; `strowger apply` takes up from here",
            applied.done.len(),
            applied.left
        )));
    }
    if to_do.steps.is_empty() {
        return Ok(Exit::Done);
    }
    // What the far side made of it is looked at, not assumed.
    let after = plan(&compiled, &client, &remember).await?;
    if after.is_empty() {
        print("\nApplied: live state is as the files say.\n");
        return Ok(Exit::Done);
    }
    print("\nEvery step was done, and live state still differs:\n\n");
    show(&after);
    Ok(Exit::Failed)
}
