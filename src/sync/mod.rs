//! How does the far side become as the plan says?
//!
//! [`fetch`] reads, [`apply`] writes, both over anything that answers the contract: the client over the network,
//! or the daemon's own store.

mod apply;
mod fetch;
mod lock;

pub use apply::{Applied, ApplyError, Done, apply};
pub use fetch::{FetchError, Lists, fetch, list};
pub use lock::{LockError, read_memory, write_memory};

use crate::api::{
    CreateNumbers, CreateRule, DeleteInboundGateway, DeleteOutboundGateway, DeleteRule, DetachNumber, Handle,
    ListNumbers, ListRules, ReleaseNumber, UpdateGateway, UpdateRule,
};

/// Something that answers every endpoint that `fetch` and `apply` call, with one type of error.
pub trait Remote:
    Sync
    + Handle<ListNumbers, Error = <Self as Remote>::Failure>
    + Handle<ListRules, Error = <Self as Remote>::Failure>
    + Handle<CreateNumbers, Error = <Self as Remote>::Failure>
    + Handle<UpdateGateway, Error = <Self as Remote>::Failure>
    + Handle<DetachNumber, Error = <Self as Remote>::Failure>
    + Handle<ReleaseNumber, Error = <Self as Remote>::Failure>
    + Handle<DeleteInboundGateway, Error = <Self as Remote>::Failure>
    + Handle<DeleteOutboundGateway, Error = <Self as Remote>::Failure>
    + Handle<CreateRule, Error = <Self as Remote>::Failure>
    + Handle<UpdateRule, Error = <Self as Remote>::Failure>
    + Handle<DeleteRule, Error = <Self as Remote>::Failure>
{
    /// What can go wrong with a call.
    type Failure: std::error::Error + Send + Sync + 'static;
}

impl<T, F> Remote for T
where
    F: std::error::Error + Send + Sync + 'static,
    T: Sync
        + Handle<ListNumbers, Error = F>
        + Handle<ListRules, Error = F>
        + Handle<CreateNumbers, Error = F>
        + Handle<UpdateGateway, Error = F>
        + Handle<DetachNumber, Error = F>
        + Handle<ReleaseNumber, Error = F>
        + Handle<DeleteInboundGateway, Error = F>
        + Handle<DeleteOutboundGateway, Error = F>
        + Handle<CreateRule, Error = F>
        + Handle<UpdateRule, Error = F>
        + Handle<DeleteRule, Error = F>,
{
    type Failure = F;
}
