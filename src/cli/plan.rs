//! `strowger plan`

use clap::Args;

use crate::client::Client;
use crate::plan::{Blocked, Memory, Options, Plan, diff, text};
use crate::source;
use crate::sync::{self, read_memory};

use super::compile::{Compiled, PathArg, compile};
use super::exit::{Exit, Failure, print};
use super::impact::impact;
use super::log::runtime;
use super::target::Target;
use super::test::judge_all;

/// The file beside the configuration that remembers what was declared last.
pub(super) const LOCK_FILE: &str = "strowger.lock";

/// Shows what would change, without changing anything.
///
/// Compares the files with live state: of the account in `[account]`, or else of the daemon on this machine.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger plan examples/quickstart\n  strowger plan --detailed-exitcode || echo \"changes pending\""
)]
pub(super) struct PlanCommand {
    #[command(flatten)]
    path: PathArg,
    #[command(flatten)]
    target: Target,
    /// Exit with 2 when there are changes, 0 when there are none.
    #[arg(long)]
    detailed_exitcode: bool,
}

/// A plan with all that it takes to carry it out.
pub(super) struct Planned {
    pub compiled: Compiled,
    pub client: Client,
    pub memory: Memory,
    pub plan: Plan,
}

impl PlanCommand {
    pub fn run(self) -> Result<Exit, Failure> {
        let Some(compiled) = compile(&self.path)? else { return Ok(Exit::Failed) };
        let planned = runtime()?.block_on(make(compiled, &self.target))?;
        show(&planned.plan);
        Ok(match (planned.plan.blocked.is_empty(), planned.plan.is_empty()) {
            (false, _) => Exit::Failed,
            (true, false) if self.detailed_exitcode => Exit::Pending,
            (true, _) => Exit::Done,
        })
    }
}

/// Plans against live state.
pub(super) async fn make(compiled: Compiled, target: &Target) -> Result<Planned, Failure> {
    let client = target.client(Some(&compiled))?;
    let memory = compiled.set.directory.join(LOCK_FILE);
    let memory = read_memory(&memory, compiled.exchange.stack(), client.endpoint());
    let plan = plan(&compiled, &client, &memory).await?;
    Ok(Planned { compiled, client, memory, plan })
}

/// One comparison of the files with live state.
pub(super) async fn plan(compiled: &Compiled, client: &Client, memory: &Memory) -> Result<Plan, Failure> {
    let Compiled { exchange, set } = compiled;
    let rules = exchange.bind_rules(|reference| source::resolve(reference, &set.directory));
    let rules = rules.map_err(|error| Failure::new("secret", error))?;
    let live = sync::fetch(client).await.map_err(|error| Failure::new("fetch", error))?;
    let mut plan = diff(exchange, &rules, &live, memory, Options { may_release: true });
    // The files alone have passed their tests; here they are asked of what they would come to over there, where rules
    // of others stand too.
    for (case, verdict) in judge_all(exchange, &plan.after) {
        let each = verdict.differences.iter().map(|d| format!("{}: expected {}, got {}", d.what, d.expected, d.got));
        let each: Vec<String> = each.collect();
        if !each.is_empty() {
            let reason = format!("it would not hold after this plan: {}", each.join("; "));
            let object = format!("test \"{}\"", case.name);
            plan.blocked.push(Blocked { object, reason, place: Some(case.place.clone()) });
        }
    }
    Ok(plan)
}

/// Shows a plan on standard output.
pub(super) fn show(plan: &Plan) {
    if !plan.is_empty() {
        print(impact(plan));
    }
    print(text(plan));
}
