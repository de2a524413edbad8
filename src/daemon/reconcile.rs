//! How does the store become as the files say?

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::check::check;
use crate::diagnostic::Report;
use crate::model::Exchange;
use crate::plan::{Options, Plan, diff};
use crate::source::{self, SourceError, SourceSet};
use crate::store::Store;
use crate::sync::{self, read_memory, write_memory};
use crate::syntax;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

use super::DaemonError;
use super::routing::Settings;
use super::status::State;

/// How long the files have to stay the same to be believed: longer than an editor takes between truncating and
/// writing.
const REST: Duration = Duration::from_millis(20);

/// How often files that do not come to rest are read before the next event is waited for.
const READS_MAX: u32 = 50;

/// What stands for the far side in the memory of a daemon: its own store.
const OWN_STORE: &str = "own store";

/// Compiles the files and applies them to the store.
pub(super) struct Reconciler {
    path: PathBuf,
    environment: Option<String>,
    directory: PathBuf,
    /// The digest of what was looked at last, good or bad, so that nothing is said twice.
    seen: Option<String>,
    /// The failure that was told last.
    told: Option<String>,
}

/// What a reconciliation came to.
#[derive(Debug)]
pub enum Reconciled {
    /// The store is as the files say.
    Applied {
        /// What was to be done.
        plan: Box<Plan>,
        /// Findings that are no errors.
        report: Report,
        /// The digest of the configuration.
        digest: String,
        /// What only this daemon does.
        settings: Settings,
    },
    /// The files are broken; nothing was changed.
    Broken(Report),
    /// The files cannot be read, or the plan cannot be carried out; what is served is in the store.
    Failed {
        /// Why.
        reason: String,
        /// What was planned, where it came to that.
        plan: Option<Box<Plan>>,
    },
}

impl Reconciled {
    /// Nothing to do, and nothing to say.
    pub(super) fn unchanged() -> Self {
        Self::Applied {
            plan: Box::default(),
            report: Report::default(),
            digest: String::new(),
            settings: Settings::default(),
        }
    }

    /// What only this daemon does; nothing where the files were not applied.
    pub(super) fn settings(&self) -> Settings {
        match self {
            Self::Applied { settings, .. } => settings.clone(),
            Self::Broken(_) | Self::Failed { .. } => Settings::default(),
        }
    }

    pub(super) fn state(&self) -> State {
        match self {
            Self::Applied { digest, .. } => State::Serving { digest: digest.clone() },
            Self::Broken(report) => State::Degraded {
                reason: format!("the files are broken ({} findings); run `strowger validate`", report.findings.len()),
            },
            Self::Failed { reason, .. } => State::Degraded { reason: reason.clone() },
        }
    }
}

impl Reconciler {
    /// # Errors
    /// When the path does not exist or cannot be read: whoever starts a daemon wants to know of a typing mistake.
    pub fn new(path: PathBuf, environment: Option<String>) -> Result<Self, DaemonError> {
        let set = source::read(&path, environment.as_deref())?;
        Ok(Self { path, environment, directory: set.directory, seen: None, told: None })
    }

    /// The directory to watch.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reconciles, if the files are not what they were last time. `None` when there is nothing new.
    pub async fn reconcile(&mut self, store: &Store, memory: &Path, first: bool) -> Option<Reconciled> {
        let outcome = match self.read(first).await {
            Err(error) => {
                self.seen = None;
                Reconciled::Failed { reason: format!("{error}; {}", error.help()), plan: None }
            }
            Ok(set) if self.seen.as_ref() == Some(&set.digest) => return None,
            Ok(set) => {
                self.seen = Some(set.digest.clone());
                self.compile(set, store, memory).await
            }
        };
        let failure = match &outcome {
            Reconciled::Failed { reason, .. } => Some(reason.clone()),
            _ => None,
        };
        // The same failure again is not news.
        if failure.is_some() && failure == self.told {
            return None;
        }
        self.told = failure;
        Some(outcome)
    }

    async fn compile(&mut self, set: SourceSet, store: &Store, memory: &Path) -> Reconciled {
        let mut checked = check(syntax::parse(&set.files));
        checked.warn_of_exposed_secrets(|file| source::is_exposed(file, &set.directory));
        let Some(exchange) = checked.exchange else { return Reconciled::Broken(checked.report) };
        match apply(&exchange, &set, store, memory).await {
            Ok((plan, settings)) => {
                Reconciled::Applied { plan: Box::new(plan), report: checked.report, digest: set.digest, settings }
            }
            Err((reason, plan)) => {
                // What failed is tried again with the next reading, though the files stay the same.
                self.seen = None;
                Reconciled::Failed { reason, plan }
            }
        }
    }

    /// Reads the files until two readings agree, so that a set that is being written is not believed.
    async fn read(&self, first: bool) -> Result<SourceSet, SourceError> {
        let mut last = source::read(&self.path, self.environment.as_deref());
        if first {
            return last;
        }
        for _ in 0..READS_MAX {
            tokio::time::sleep(REST).await;
            let next = source::read(&self.path, self.environment.as_deref());
            let same = match (&last, &next) {
                (Ok(last), Ok(next)) => last.digest == next.digest,
                (Err(last), Err(next)) => last.to_string() == next.to_string(),
                _ => false,
            };
            last = next;
            if same {
                break;
            }
        }
        last
    }
}

async fn apply(
    exchange: &Exchange,
    set: &SourceSet,
    store: &Store,
    memory_path: &Path,
) -> Result<(Plan, Settings), (String, Option<Box<Plan>>)> {
    let resolve =
        |reference: &_| unhurried(|| source::resolve(reference, &set.directory)).map_err(|error| error.to_string());
    let rules = exchange.bind_rules(resolve).map_err(|error| (error, None))?;
    let settings = Settings::of(exchange, resolve).map_err(|error| (error, None))?;
    let live = sync::fetch(store).await.map_err(|error| (error.to_string(), None))?;
    let memory = read_memory(memory_path, exchange.stack(), OWN_STORE);
    let plan = diff(exchange, &rules, &live, &memory, Options { may_release: false });
    if let Some(blocked) = plan.blocked.first() {
        let reason = format!("{} cannot be done: {}", blocked.object, blocked.reason);
        return Err((reason, Some(Box::new(plan))));
    }
    let applied = sync::apply(&plan, exchange, store, resolve, |_, _| {}).await;
    let kept = plan.kept.iter().copied();
    let remember = crate::plan::Memory::of(exchange, OWN_STORE, &memory, kept);
    if let Err(error) = write_memory(memory_path, &remember) {
        tracing::warn!(%error, "what was declared is not remembered for the next run");
    }
    match applied.failed {
        None => Ok((plan, settings)),
        Some((step, error)) => Err((format!("{}: {error}", step.object), Some(Box::new(plan)))),
    }
}

/// Does what may take seconds, such as a program that is asked for a secret, without holding up the calls that this
/// thread serves too.
fn unhurried<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => block_in_place(work),
        // There is no other thread that could take over.
        _ => work(),
    }
}
