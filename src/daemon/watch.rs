//! When have the files changed?

use std::path::Path;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::DaemonError;

/// How long nothing may have happened before the files are read: editors write in several steps.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// How often the files are read without an event: some file systems send none.
const REREAD: Duration = Duration::from_secs(5);

/// Watches a directory.
pub(super) struct Watch {
    events: mpsc::Receiver<()>,
    reread: Interval,
    /// Held because dropping it ends the watching.
    _watcher: RecommendedWatcher,
}

impl Watch {
    pub fn new(directory: &Path) -> Result<Self, DaemonError> {
        let failed = |cause| DaemonError::Watch { path: directory.display().to_string(), cause };
        // One event is as good as many: the files are read whole.
        let (sender, events) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading the files is an event too, and must not lead to reading them again.
            if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
                let _ = sender.try_send(());
            }
        })
        .map_err(failed)?;
        watcher.watch(directory, RecursiveMode::Recursive).map_err(failed)?;
        let mut reread = interval(REREAD);
        reread.set_missed_tick_behavior(MissedTickBehavior::Delay);
        reread.reset();
        Ok(Self { events, reread, _watcher: watcher })
    }

    /// Waits until the files may have changed and are at rest.
    pub async fn changed(&mut self) {
        tokio::select! {
            _ = self.reread.tick() => return,
            event = self.events.recv() => if event.is_none() {
                // The watcher is gone; what is left is to read now and then.
                self.reread.tick().await;
                return;
            },
        }
        while let Ok(Some(())) = timeout(DEBOUNCE, self.events.recv()).await {}
    }
}
