//! What is wrong with the user's input, where, and how is it shown?
//!
//! A [`Finding`] is a value; a [`Report`] holds all findings of one run; [`render`] draws them.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod file;
mod finding;
mod mend;
mod nearest;
mod render;

pub use file::{File, FileId, Files, Span};
pub use finding::{Edit, Finding, Fix, Label, Report, Rule, Severity};
pub use mend::{Mended, mend};
pub use nearest::nearest;
pub use render::{Format, Look, covered, render};
