//! Where does a call go?
//!
//! [`Table::build`] makes rules ready to answer, [`Table::decide`] answers. Both are pure and total, so the live
//! call, `strowger route` and the plan's call impact ask the same function and cannot disagree.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod decide;
mod offer;
mod space;
mod table;
mod trace;

pub use decide::{Cause, Decision, Outcome, Permit};
pub use offer::Offer;
pub use space::{Moved, moved};
pub use table::Table;
pub use trace::{Step, Trace};
