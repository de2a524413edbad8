//! What is an endpoint, and who can answer one?

use std::future::Future;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The HTTP methods of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates, or acts.
    Post,
    /// Changes what is named, keeps the rest.
    Patch,
    /// Removes.
    Delete,
}

/// What stands in the one variable part of a path, if it has one.
pub trait PathParam: Send + Sync + 'static {
    /// Whether the path has a variable part at all.
    const PRESENT: bool;
    /// The text of the variable part, not yet percent-encoded.
    fn text(&self) -> &str;
    /// Takes the text of the variable part, already percent-decoded.
    fn from_text(text: String) -> Self;
}

impl PathParam for () {
    const PRESENT: bool = false;

    fn text(&self) -> &str {
        ""
    }

    fn from_text(_: String) -> Self {}
}

impl PathParam for String {
    const PRESENT: bool = true;

    fn text(&self) -> &str {
        self
    }

    fn from_text(text: String) -> Self {
        text
    }
}

/// A query or body that is not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
pub struct Nothing {}

/// Who calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Caller {
    /// Whoever runs this process: the files, or the command line.
    #[default]
    Operator,
    /// Somebody with a token of this API key.
    Key(String),
}

/// One verb and path of the contract, with the types that go in and come out.
pub trait Endpoint: Send + Sync + 'static {
    /// The HTTP method.
    const METHOD: Method;
    /// The path; its variable part, where there is one, is the last `{…}` in it.
    const PATH: &'static str;
    /// The status of success.
    const SUCCESS: u16 = 200;
    /// Whether a second, equal call does no more than the first, so that it may be repeated after a lost reply.
    const IDEMPOTENT: bool = matches!(Self::METHOD, Method::Get | Method::Delete);
    /// Whether a body is sent.
    const HAS_BODY: bool = matches!(Self::METHOD, Method::Post | Method::Patch);
    /// The variable part of the path: `()` or `String`.
    type Path: PathParam;
    /// The query.
    type Query: Serialize + DeserializeOwned + JsonSchema + Default + Send + Sync + 'static;
    /// The body; [`Nothing`] where there is none.
    type Body: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// The reply.
    type Reply: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
}

/// One call of an endpoint.
#[derive(Debug)]
pub struct Call<E: Endpoint> {
    /// The variable part of the path.
    pub path: E::Path,
    /// The query.
    pub query: E::Query,
    /// The body.
    pub body: E::Body,
    /// Who calls; a client says so with its token instead.
    pub by: Caller,
}

impl<E: Endpoint<Path = (), Body = Nothing>> Call<E> {
    /// A call with nothing but a query.
    pub fn with_query(query: E::Query) -> Self {
        Self { path: (), query, body: Nothing {}, by: Caller::default() }
    }
}

impl<E: Endpoint<Path = String, Body = Nothing>> Call<E> {
    /// A call of one object by its id.
    pub fn of(id: impl Into<String>) -> Self {
        Self { path: id.into(), query: E::Query::default(), body: Nothing {}, by: Caller::default() }
    }
}

impl<E: Endpoint<Path = ()>> Call<E> {
    /// A call with a body.
    pub fn with_body(body: E::Body) -> Self {
        Self { path: (), query: E::Query::default(), body, by: Caller::default() }
    }
}

impl<E: Endpoint<Path = String>> Call<E> {
    /// A call with a body, of one object by its id.
    pub fn of_with_body(id: impl Into<String>, body: E::Body) -> Self {
        Self { path: id.into(), query: E::Query::default(), body, by: Caller::default() }
    }
}

/// Declares endpoints: `/// Doc. Name: Method "path" { path: T, query: T, body: T, reply: T; CONST: type = value }`.
/// What is left out is nothing.
macro_rules! endpoints {
    ($(
        $(#[$doc:meta])*
        $name:ident: $method:ident $path:literal
        {
            $(path: $param:ty,)? $(query: $query:ty,)? $(body: $body:ty,)? reply: $reply:ty
            $(; $($const:ident: $kind:ty = $value:expr),+)?
        }
    )+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl $crate::api::Endpoint for $name {
            const METHOD: $crate::api::Method = $crate::api::Method::$method;
            const PATH: &'static str = $path;
            $($(const $const: $kind = $value;)+)?
            type Path = $crate::api::endpoint::endpoints!(@or () $($param)?);
            type Query = $crate::api::endpoint::endpoints!(@or $crate::api::Nothing, $($query)?);
            type Body = $crate::api::endpoint::endpoints!(@or $crate::api::Nothing, $($body)?);
            type Reply = $reply;
        }
    )+};
    (@or () $given:ty) => { $given };
    (@or ()) => { () };
    (@or $usual:ty, $given:ty) => { $given };
    (@or $usual:ty,) => { $usual };
}
pub(super) use endpoints;

/// Carries calls of an endpoint out: the client over the network, the store in its database.
pub trait Handle<E: Endpoint> {
    /// What can go wrong.
    type Error;

    /// Carries one call out.
    fn handle(&self, call: Call<E>) -> impl Future<Output = Result<E::Reply, Self::Error>> + Send;
}
