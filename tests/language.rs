//! The tools of the language: forms of a report, explanations, the language server, and what `init` writes.

#[path = "language/formats.rs"]
mod formats;
#[path = "language/lsp.rs"]
mod lsp;
