//! The program as it is used: a real daemon, calls placed by `sipp`, and real sound.

#![allow(clippy::unwrap_used)]

mod support;

#[path = "e2e/calls.rs"]
mod calls;
#[path = "e2e/edits.rs"]
mod edits;
#[path = "e2e/lives.rs"]
mod lives;
#[path = "e2e/pins.rs"]
mod pins;
#[path = "e2e/refusals.rs"]
mod refusals;
#[path = "e2e/stacks.rs"]
mod stacks;
