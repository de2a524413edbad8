//! What would change, in which order, and why?
//!
//! [`diff`] compares a configuration with what the far side has, and gives ordered [`Step`]s. Nothing is
//! remembered between runs but what the objects carry themselves: each rule of ours has a [`Mark`] among its tags.
//! [`Memory`] is a hint that may be lost.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod diff;
mod gateways;
mod live;
mod mark;
mod memory;
mod rules;
mod step;
mod text;

pub use diff::{Options, Plan, diff};
pub use live::{Live, LiveGateway, LiveNumber, LiveRule};
pub use mark::{Mark, Seal};
pub use memory::Memory;
pub use step::{Action, Blocked, Change, GatewayChange, Step, Verb};
pub use text::text;
