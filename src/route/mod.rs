//! Where does a call go?
//!
//! [`Table::build`] makes rules ready to answer, [`Table::decide`] answers. Both are pure and total, so the live
//! call, `strowger route` and the plan's call impact ask the same function and cannot disagree.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod decide;
mod graph;
mod judge;
mod offer;
mod space;
mod table;
mod trace;

pub use decide::{Cause, Decision, Outcome, Permit};
pub use graph::Graph;
pub use judge::{Difference, Verdict, judge, offer_of};
pub use offer::{Arrival, Departure, Offer, Way};
pub use space::{Change, Impact, Moved, Proven, Unproven, differs, impact, prove};
pub use table::Table;
pub use trace::{Candidate, Check, Trace};
