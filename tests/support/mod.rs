//! A real daemon, real callers and real sound, for tests that go over the wire.

pub mod daemon;
pub mod log;
pub mod phone;
pub mod sipp;

use std::time::{Duration, Instant};

pub use daemon::{Daemon, Site, TOKENLESS};
pub use phone::Phone;
pub use sipp::{Call, Dial, Wire};

/// How long anything may take before a test gives up: far more than it takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// How long to rest between two looks at something that tells nobody when it changes.
const LOOK: Duration = Duration::from_millis(5);

/// Looks until there is something to see, and gives it; `None` when the time is up.
pub fn look_until<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(LOOK);
    }
}
