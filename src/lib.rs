//! strowger
pub mod api;
pub mod model;
