//! The contract over HTTP: the real server on a real socket, asked by the client and by hand.

#![allow(clippy::unwrap_used)]

#[path = "api/beyond.rs"]
mod beyond;
#[path = "api/calls.rs"]
mod calls;
#[path = "api/document.rs"]
mod document;
#[path = "api/durable.rs"]
mod durable;
#[path = "api/faulty.rs"]
mod faulty;
#[path = "api/gateways.rs"]
mod gateways;
#[path = "api/hardship.rs"]
mod hardship;
#[path = "api/http.rs"]
mod http;
#[path = "api/keys.rs"]
mod keys;
#[path = "api/lost.rs"]
mod lost;
#[path = "api/numbers.rs"]
mod numbers;
#[path = "api/rooms.rs"]
mod rooms;
#[path = "api/rules.rs"]
mod rules;
#[path = "api/show.rs"]
mod show;
#[path = "api/support.rs"]
mod support;
#[path = "api/tls.rs"]
mod tls;
#[path = "api/tokens.rs"]
mod tokens;
#[path = "api/trunks.rs"]
mod trunks;
#[path = "api/twin.rs"]
mod twin;
#[path = "api/vendor.rs"]
mod vendor;
#[path = "api/way.rs"]
mod way;
#[path = "api/webhooks.rs"]
mod webhooks;
