//! Who answers the contract over HTTP?
//!
//! Whatever handles every endpoint of [`api`](crate::api) and knows the API keys becomes an axum router here.
//! Methods, paths and success codes are those of the endpoint types, and an endpoint without a handler does
//! not compile.
//!
//! | file | holds |
//! | --- | --- |
//! | `auth` | whose token is accepted |
//! | `answer` | one request, read into a call and answered |
//! | `reading` | what is wrong with a body or a query, and where |

mod answer;
mod auth;
mod reading;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{self, MethodFilter};
use tracing::Instrument;

use crate::api::{
    ApiError, CreateNumbers, CreateRule, DeleteInboundGateway, DeleteOutboundGateway, DeleteRule, DetachNumber,
    Endpoint, GetNumber, GetRule, Handle, KeyRing, ListNumbers, ListRules, Method, ReleaseNumber, UpdateGateway,
    UpdateRule,
};
use answer::refuse;

/// The longest body that is read. The longest legal one, a rule with all its lists, is far below.
const BODY_MAX: usize = 1 << 20;

/// The longest request id of a client that is taken over.
const REQUEST_ID_MAX: usize = 128;

/// The header by which a request is found in the log (contract section 2).
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The one path that is answered without a token.
const HEALTH: &str = "/healthz";

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
    };
}

contract!(
    CreateNumbers,
    ListNumbers,
    GetNumber,
    DetachNumber,
    ReleaseNumber,
    UpdateGateway,
    DeleteInboundGateway,
    DeleteOutboundGateway,
    CreateRule,
    ListRules,
    GetRule,
    UpdateRule,
    DeleteRule,
);

/// The router that answers the contract out of a service, and `GET /healthz` by itself.
pub fn router<S: Contract>(service: S) -> Router {
    routes::<S>()
        .route(HEALTH, routing::get(async || "ok"))
        .fallback(async |request: Request| {
            refuse(ApiError::not_found(format!("There is no {} {}", request.method(), request.uri().path())))
        })
        .method_not_allowed_fallback(async |request: Request| {
            let message = format!("{} is not possible on {}", request.method(), request.uri().path());
            refuse(ApiError { status: 405, message })
        })
        // Around the fallbacks too: a caller without a token does not learn which paths there are.
        .layer(middleware::from_fn_with_state(service.clone(), guard::<S>))
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
            router.route(&format!("{}{rest}", RULES.1), routing::on(filter, handler))
        }
    }
}

/// Lets through what has a valid token, or needs none.
async fn guard<S: KeyRing + Clone + Send + Sync + 'static>(
    State(keys): State<S>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    // Routes match the path as it was sent, not decoded, so no spelling of `/v2` reaches one past this line.
    if path == "/v2" || path.starts_with("/v2/") {
        // The header is cloned, because a request is not `Sync` and may not be held across the await.
        let header = request.headers().get(axum::http::header::AUTHORIZATION).cloned();
        if let Err(refusal) = auth::authenticate(&keys, header.as_ref()).await {
            tracing::info!(status = refusal.status, reason = %refusal.message, "a request was not let in");
            return refuse(refusal);
        }
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
        assert_eq!(ENDPOINTS.len(), 13);
        assert!(ENDPOINTS.iter().all(|(_, path)| path.starts_with("/v2/")));
    }
}
