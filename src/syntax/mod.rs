//! What do the files say?
//!
//! Turns texts into tables with a span for every key and value. The tables under `tables` are the schema:
//! one definition gives the reader, the JSON Schema and the documentation of each key.
//! Reading goes on after a mistake: every broken key of every table speaks once.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

mod draft;
mod format;
mod read;
mod recover;
pub(crate) mod rules;
mod schema;
pub(crate) mod tables;
pub(crate) mod value;
mod vars;

pub use draft::{Draft, includes, parse, syntax_errors};
pub use format::{format, same_meaning};
pub(crate) use read::is_literal;
pub use read::{At, Entry, Keyed, Tables};
pub use schema::schema;
pub use value::SecretSource;
pub use vars::Variable;
