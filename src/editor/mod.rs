//! What does an editor ask of a configuration?
//!
//! Where a cursor stands, which words fit there, and what a name stands for; on texts that may be broken, for they
//! are being typed.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod cursor;
mod names;
mod words;

pub use cursor::{Cursor, Role, at};
pub use names::{Name, Names, Wanted, wanted};
pub use words::{Word, Words};
