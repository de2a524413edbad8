//! strowger
pub mod api;
pub mod check;
pub mod diagnostic;
pub mod model;
pub mod plan;
pub mod route;
pub mod source;
pub mod sync;
pub mod syntax;
