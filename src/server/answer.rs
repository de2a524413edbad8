//! How does one request become a call, and its reply a response?

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::reading;
use crate::api::{ApiError, Call, Caller, Endpoint, Handle, PathParam, from_older_rule};

/// Reads the call out of a request, has it handled, and writes the reply.
pub(super) async fn answer<S, E>(service: S, request: Request) -> Response
where
    E: Endpoint,
    S: Handle<E, Error = ApiError> + Send + Sync,
{
    carry::<S, E>(service, request, reading::body::<E::Body>).await
}

/// The same, for a body that may be in its older shape.
pub(super) async fn answer_older<S, E>(service: S, request: Request) -> Response
where
    E: Endpoint,
    S: Handle<E, Error = ApiError> + Send + Sync,
{
    carry::<S, E>(service, request, |bytes| match serde_json::from_slice(bytes) {
        Ok(mut body) => {
            from_older_rule(&mut body);
            reading::body::<E::Body>(body.to_string().as_bytes())
        }
        // What is no JSON is told of where it is none.
        Err(_) => reading::body::<E::Body>(bytes),
    })
    .await
}

async fn carry<S, E>(service: S, request: Request, read: impl Fn(&[u8]) -> Result<E::Body, ApiError> + Send) -> Response
where
    E: Endpoint,
    S: Handle<E, Error = ApiError> + Send + Sync,
{
    let method = request.method().clone();
    let done = match call::<E>(request, read).await {
        Ok(call) => service.handle(call).await,
        Err(refusal) => Err(refusal),
    };
    match done.and_then(|reply| written::<E>(&reply)) {
        Ok(response) => {
            // The path of the endpoint and not of the request: ids and numbers stay out of the log.
            tracing::debug!(%method, path = E::PATH, status = E::SUCCESS, "a call was answered");
            response
        }
        Err(refusal) => {
            tracing::info!(%method, path = E::PATH, status = refusal.status, "a call was refused");
            refuse(refusal)
        }
    }
}

/// The response to what cannot be done.
pub(super) fn refuse(refusal: ApiError) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(refusal)).into_response();
    if status == StatusCode::UNAUTHORIZED {
        // RFC 9110 section 11.6.1 asks for it on each 401.
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn written<E: Endpoint>(reply: &E::Reply) -> Result<Response, ApiError> {
    let failed = |why: String| {
        tracing::error!(path = E::PATH, error = %why, "a reply could not be written");
        ApiError::internal("The reply could not be written; the daemon's log says more")
    };
    let status = StatusCode::from_u16(E::SUCCESS).map_err(|why| failed(why.to_string()))?;
    let body = serde_json::to_vec(reply).map_err(|why| failed(why.to_string()))?;
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Ok((status, kind, body).into_response())
}

async fn call<E: Endpoint>(
    request: Request,
    read: impl Fn(&[u8]) -> Result<E::Body, ApiError> + Send,
) -> Result<Call<E>, ApiError> {
    let (mut parts, body) = request.into_parts();
    let by = parts.extensions.remove::<Caller>().unwrap_or_default();
    let path = match <E::Path as PathParam>::PRESENT {
        false => String::new(),
        true => match Path::<String>::from_request_parts(&mut parts, &()).await {
            Ok(Path(text)) => text,
            Err(why) => return Err(ApiError::invalid(format!("The path is not understood: {}", why.body_text()))),
        },
    };
    let query = reading::query::<E::Query>(parts.uri.query().unwrap_or_default())?;
    let body = match E::HAS_BODY {
        // Neither a body nor a length is needed here (contract section 13.5, point 1), and none is looked at.
        false => Bytes::from_static(b"{}"),
        true => Bytes::from_request(Request::from_parts(parts, body), &()).await.map_err(|why| too_long(&why))?,
    };
    Ok(Call { path: E::Path::from_text(path), query, body: read(&body)?, by })
}

fn too_long(why: &BytesRejection) -> ApiError {
    let status = why.status().as_u16();
    let message = match status {
        413 => format!("The body is longer than {} bytes", super::BODY_MAX),
        _ => "The body could not be read to its end".to_owned(),
    };
    ApiError { status, message }
}
