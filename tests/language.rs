//! The tools of the language: the forms of a report, and the language server.
#![allow(clippy::unwrap_used)]

#[path = "language/formats.rs"]
mod formats;
#[path = "language/lsp.rs"]
mod lsp;
