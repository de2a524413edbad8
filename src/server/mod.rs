//! Who answers the contract over HTTP?
//!
//! Whatever handles every endpoint of [`api`](crate::api) and knows the API keys becomes an axum router here.
//! Methods, paths and success codes are those of the endpoint types, and an endpoint without a handler does
//! not compile.
//!
//! | file | holds |
//! | --- | --- |
//! | `auth` | whose token is accepted |
//! | `limit` | how many requests a key may make |
//! | `answer` | one request, read into a call and answered |
//! | `reading` | what is wrong with a body or a query, and where |
//! | `openapi` | the contract as a document |
//! | `tls` | TLS, with certificates that are read again when they change |

mod answer;
mod auth;
mod limit;
mod openapi;
mod reading;
mod tls;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{self, MethodFilter};
use tracing::Instrument;

use crate::api::{
    ApiError, Caller, CreateCall, CreateInboundGateway, CreateNumbers, CreateOutboundGateway, CreateRoom, CreateRule,
    CreateWebhook, DeactivateRoom, DeleteInboundGateway, DeleteOutboundGateway, DeleteRule, DeleteWebhook,
    DetachNumber, DispatchAgent, EndCall, Endpoint, GetCall, GetInboundGateway, GetNumber, GetOutboundGateway,
    GetPublicKey, GetRoom, GetRule, GetWebhook, Handle, KeyRing, ListCalls, ListInboundGateways, ListNumbers,
    ListOutboundGateways, ListRooms, ListRules, ListWebhooks, Method, ReleaseNumber, SwitchRoom, TransferCall,
    UpdateGateway, UpdateInboundGateway, UpdateOutboundGateway, UpdateRule, UpdateWebhook, ValidateRoom,
};
use answer::refuse;
use limit::Limiter;

pub use limit::Limits;
pub use tls::{Certificates, TlsError, TlsListener};

/// The longest body that is read. The longest legal one, a rule with all its lists, is far below.
const BODY_MAX: usize = 1 << 20;

/// The longest request id of a client that is taken over.
const REQUEST_ID_MAX: usize = 128;

/// The header by which a request is found in the log (contract section 2).
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Says that the program runs; needs no token.
const HEALTH: &str = "/healthz";

/// The contract as a document; needs no token, for it tells nothing that the source does not.
const DOCUMENT: &str = "/v2/openapi.json";

/// Below this, the contract itself asks for no token.
const PUBLIC: &str = "/v2/public/";

/// The resource whose path has an older, plural spelling (contract sections 12 and 14), and that spelling.
const RULES: (&str, &str) = ("/v2/sip/routing-rule", "/v2/sip/routing-rules");

macro_rules! contract {
    ($($endpoint:ident),+ $(,)?) => {
        /// What answers the whole contract. Nobody implements it by hand: handle every endpoint, and hold the keys.
        pub trait Contract:
            $(Handle<$endpoint, Error = ApiError> +)+ KeyRing + Clone + Send + Sync + 'static
        {
        }

        impl<S> Contract for S where
            S: $(Handle<$endpoint, Error = ApiError> +)+ KeyRing + Clone + Send + Sync + 'static
        {
        }

        /// Every endpoint that is routed: its method and path.
        pub const ENDPOINTS: &[(Method, &str)] = &[$((<$endpoint as Endpoint>::METHOD, <$endpoint as Endpoint>::PATH)),+];

        fn routes<S: Contract>() -> Router<S> {
            Router::new()$(.merge(route::<S, $endpoint>()))+
        }

        /// The contract as an OpenAPI 3.1 document, from the types that carry it.
        pub fn openapi() -> serde_json::Value {
            let mut document = openapi::Document::new();
            $(document.add::<$endpoint>(stringify!($endpoint));)+
            document.finish()
        }
    };
}

contract!(
    CreateNumbers,
    ListNumbers,
    GetNumber,
    DetachNumber,
    ReleaseNumber,
    UpdateGateway,
    CreateInboundGateway,
    ListInboundGateways,
    GetInboundGateway,
    UpdateInboundGateway,
    DeleteInboundGateway,
    CreateOutboundGateway,
    ListOutboundGateways,
    GetOutboundGateway,
    UpdateOutboundGateway,
    DeleteOutboundGateway,
    CreateRule,
    ListRules,
    GetRule,
    UpdateRule,
    DeleteRule,
    CreateCall,
    ListCalls,
    GetCall,
    EndCall,
    TransferCall,
    SwitchRoom,
    CreateWebhook,
    ListWebhooks,
    GetWebhook,
    UpdateWebhook,
    DeleteWebhook,
    GetPublicKey,
    CreateRoom,
    ListRooms,
    GetRoom,
    ValidateRoom,
    DeactivateRoom,
    DispatchAgent,
);

/// The router that answers the contract out of a service, and `GET /healthz` by itself, within the usual limits.
pub fn router<S: Contract>(service: S) -> Router {
    limited(service, Limits::default())
}

/// The same, within other limits.
pub fn limited<S: Contract>(service: S, limits: Limits) -> Router {
    let document: Arc<str> = openapi().to_string().into();
    let gate = Gate { keys: service.clone(), limiter: Arc::new(Limiter::new(limits)) };
    routes::<S>()
        .route(
            DOCUMENT,
            routing::get(async move || {
                ([(axum::http::header::CONTENT_TYPE, "application/json")], document.to_string())
            }),
        )
        .route(HEALTH, routing::get(async || "ok"))
        .fallback(async |request: Request| {
            refuse(ApiError::not_found(format!("There is no {} {}", request.method(), request.uri().path())))
        })
        .method_not_allowed_fallback(async |request: Request| {
            let message = format!("{} is not possible on {}", request.method(), request.uri().path());
            refuse(ApiError { status: 405, message })
        })
        // Around the fallbacks too: a caller without a token does not learn which paths there are.
        .layer(middleware::from_fn_with_state(gate, guard::<S>))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn(name_request))
        .with_state(service)
}

/// One endpoint under its path; a rule also under the older path, where it may be updated by PUT.
fn route<S, E>() -> Router<S>
where
    E: Endpoint,
    S: Handle<E, Error = ApiError> + Clone + Send + Sync + 'static,
{
    let handler = |State(service): State<S>, request: Request| answer::answer::<S, E>(service, request);
    let filter = match E::METHOD {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    };
    let router = Router::new().route(E::PATH, routing::on(filter, handler));
    match E::PATH.strip_prefix(RULES.0) {
        None => router,
        Some(rest) => {
            let filter = if E::METHOD == Method::Patch { filter.or(MethodFilter::PUT) } else { filter };
            let older = |State(service): State<S>, request: Request| answer::answer_older::<S, E>(service, request);
            router.route(&format!("{}{rest}", RULES.1), routing::on(filter, older))
        }
    }
}

/// What a request has to pass.
#[derive(Clone)]
struct Gate<S> {
    keys: S,
    limiter: Arc<Limiter>,
}

/// Lets through what has a valid token and is not one too many, or needs none.
async fn guard<S: KeyRing + Clone + Send + Sync + 'static>(
    State(gate): State<Gate<S>>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if path == DOCUMENT || path.starts_with(PUBLIC) {
        return next.run(request).await;
    }
    // Routes match the path as it was sent, not decoded, so no spelling of `/v2` reaches one past this line.
    if path == "/v2" || path.starts_with("/v2/") {
        // The header is cloned, because a request is not `Sync` and may not be held across the await.
        let header = request.headers().get(axum::http::header::AUTHORIZATION).cloned();
        let key = match auth::authenticate(&gate.keys, header.as_ref()).await {
            Ok(key) => key,
            Err(refusal) => {
                tracing::info!(status = refusal.status, reason = %refusal.message, "a request was not let in");
                return refuse(refusal);
            }
        };
        if let Err(wait) = gate.limiter.admit(&key, std::time::Instant::now()) {
            tracing::info!(key, wait, "a request was one too many for its key");
            let message = format!("Too many requests with this API key; try again in {wait} s");
            let mut response = refuse(ApiError::too_many(message));
            response.headers_mut().insert(axum::http::header::RETRY_AFTER, HeaderValue::from(wait));
            return response;
        }
        request.extensions_mut().insert(Caller::Key(key));
    }
    next.run(request).await
}

/// Gives the request an id, or keeps the one it came with, and says it in the response and in the log.
async fn name_request(request: Request, next: Next) -> Response {
    let sent = request.headers().get(REQUEST_ID).filter(|id| id.len() <= REQUEST_ID_MAX && id.to_str().is_ok());
    let id = sent.cloned().unwrap_or_else(|| {
        // A UUID has only characters that a header may have.
        HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static("none"))
    });
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default());
    let mut response = next.run(request).instrument(span).await;
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_lies_behind_the_guard() {
        assert_eq!(ENDPOINTS.len(), 39);
        assert!(ENDPOINTS.iter().all(|(_, path)| path.starts_with("/v2/")));
        let open: Vec<&str> = ENDPOINTS.iter().map(|(_, path)| *path).filter(|path| path.starts_with(PUBLIC)).collect();
        assert_eq!(open, ["/v2/public/rsa-public-key"]);
    }
}
