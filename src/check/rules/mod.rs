//! Which findings does checking make? One file each, named like the finding.

pub(crate) mod address_malformed;
pub(crate) mod agent_malformed;
pub(crate) mod alias_claimed_twice;
pub(crate) mod caller_malformed;
pub(crate) mod defined_twice;
pub(crate) mod destination_missing;
pub(crate) mod gateway_address_missing;
pub(crate) mod header_malformed;
pub(crate) mod headers_wrong_direction;
pub(crate) mod metadata_without_agent;
pub(crate) mod name_malformed;
pub(crate) mod number_claimed_twice;
pub(crate) mod number_malformed;
pub(crate) mod numbers_empty;
pub(crate) mod reference_unknown;
pub(crate) mod room_mode_mismatch;
pub(crate) mod schema_unknown;
pub(crate) mod source_malformed;
pub(crate) mod sources_unknown;
pub(crate) mod tag_reserved;
pub(crate) mod unused;
pub(crate) mod url_malformed;
pub(crate) mod websocket_plain;
