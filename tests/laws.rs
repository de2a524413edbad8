//! What must always hold, on inputs that nobody thought of.

#[path = "laws/calls.rs"]
mod calls;
#[path = "laws/compile.rs"]
mod compile;
#[path = "laws/converge.rs"]
mod converge;
#[path = "laws/decide.rs"]
mod decide;
#[path = "laws/layout.rs"]
mod layout;
#[path = "laws/mend.rs"]
mod mend;
