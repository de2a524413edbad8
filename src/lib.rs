//! strowger
pub mod api;
pub mod model;
pub mod diagnostic;
pub mod source;
pub mod syntax;
pub mod check;
pub mod route;
pub mod plan;
pub mod sync;
pub mod call;
pub mod media;
pub mod room;
pub mod sip;
pub mod switch;
