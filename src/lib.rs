//! strowger
pub mod model;
