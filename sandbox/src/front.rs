//! The entry point of all three services: it logs every call, holds or fails it if a test asks for that, passes it to
//! its service, and adds the sandbox's time and the endpoint's CORS headers to the response.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, Collected, Limited};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::answer::ErrorCode;
use crate::calls::{Arrival, CallKind, Outcome};
use crate::faults::Failure;
use crate::params::Params;
use crate::world::World;
use crate::{cors, provider, sts};

/// One of the three services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Provider,
    Sts,
    Console,
}

/// Serves until the task is dropped, with all its connections. While the network is cut, there are none.
pub(crate) async fn serve(
    mut listener: TcpListener,
    service: Service,
    world: Arc<World>,
    router: Router,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    loop {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => {
                    connections.spawn(connection(stream, service, Arc::clone(&world), router.clone()));
                }
                Some(_) = connections.join_next() => {}
                () = world.network.cut() => break,
            }
        }
        drop(listener);
        connections.shutdown().await;
        listener = world.network.restored(address).await?;
    }
}

async fn connection(stream: TcpStream, service: Service, world: Arc<World>, router: Router) {
    let handler = service_fn(|request| answer(service, &world, router.clone(), request));
    // An error here is a caller that closed the connection, or a connection dropped on purpose.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), handler).await;
}

async fn answer(
    service: Service,
    world: &World,
    router: Router,
    request: Request<Incoming>,
) -> Result<Response, Dropped> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
        return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    };
    let body = body.to_bytes();
    let params = Params::of(&parts.method, parts.uri.query(), &body);
    let endpoint = kind(service, parts.uri.path(), &params);
    let kind = if parts.method == Method::OPTIONS { CallKind::Preflight } else { endpoint };
    let headers = parts.headers.clone();
    let origin = headers.get(header::ORIGIN).cloned();
    let entry = world.calls.arrived(&Arrival {
        kind,
        at: world.clock.now(),
        method: parts.method.as_str(),
        path: parts.uri.path(),
        origin: origin.as_ref().and_then(|origin| origin.to_str().ok()),
        params: &params,
    });
    let failure = world.faults.meet(kind).await;
    let mut response = match failure {
        Some(Failure::Drop) => {
            entry.ended(Outcome::Dropped, None);
            return Err(Dropped);
        }
        Some(Failure::LoseAnswer) => {
            let _ = route(router, parts, body, params).await;
            entry.ended(Outcome::Dropped, None);
            return Err(Dropped);
        }
        Some(Failure::HalfAnswer) => half(route(router, parts, body, params).await).await,
        Some(failure) => failed(world, failure),
        None if kind == CallKind::Preflight => {
            cors::preflight(service, &cors::readers(world, service, endpoint), &parts.headers)
        }
        None => route(router, parts, body, params).await,
    };
    if kind != CallKind::Preflight {
        cors::allow(&cors::readers(world, service, endpoint), origin.as_ref(), &mut response);
    }
    sts::negotiate(&headers, &mut response);
    // RFC 9110 section 5.6.7.
    let date = world.clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    let error = response.extensions_mut().remove::<ErrorCode>().map(|ErrorCode(code)| code);
    entry.ended(Outcome::Answered(response.status().as_u16()), error);
    Ok(response)
}

async fn route(
    router: Router,
    mut parts: axum::http::request::Parts,
    body: Bytes,
    params: Params,
) -> Response {
    parts.extensions.insert(params);
    let answered: Result<Response, Infallible> =
        router.oneshot(Request::from_parts(parts, Body::from(body))).await;
    match answered {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// The response with its whole length announced, whose body breaks off in the middle.
async fn half(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    let sent = body.slice(..body.len() / 2);
    Response::from_parts(parts, Body::new(BreaksOff { sent: Some(sent) }))
}

/// A body that fails after what is sent of it.
struct BreaksOff {
    sent: Option<Bytes>,
}

impl hyper::body::Body for BreaksOff {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        Poll::Ready(Some(self.sent.take().map(Frame::data).ok_or(Dropped)))
    }
}

fn failed(world: &World, failure: Failure) -> Response {
    match failure {
        Failure::Status { status, content_type, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
        }
        Failure::Aws(error) => sts::error_response(world, &error),
        Failure::OAuth { error, description } => {
            provider::oauth_error(StatusCode::BAD_REQUEST, &error, &description)
        }
        Failure::Drop | Failure::LoseAnswer | Failure::HalfAnswer => {
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The kind of a call, by its path and parameters.
fn kind(service: Service, path: &str, params: &Params) -> CallKind {
    let action = params.get("Action").unwrap_or_default();
    match (service, path, action) {
        (Service::Provider, path, _) if path.ends_with(WELL_KNOWN) => CallKind::Discovery,
        (Service::Provider, "/jwks", _) => CallKind::Jwks,
        (Service::Provider, "/authorize", _) => CallKind::Authorize,
        (Service::Provider, "/sign-in", _) => CallKind::SignIn,
        (Service::Provider, "/token", _) => CallKind::Token,
        (Service::Provider, "/revoke", _) => CallKind::Revoke,
        (Service::Provider, "/userinfo", _) => CallKind::Userinfo,
        (Service::Provider, "/logout", _) => CallKind::Logout,
        (Service::Provider, "/catalogue.json", _) => CallKind::Catalogue,
        (Service::Provider, "/roles", _) => CallKind::RoleService,
        (Service::Sts, "/", "AssumeRoleWithWebIdentity") => CallKind::AssumeRole,
        (Service::Sts, "/", "AssumeRole") => CallKind::AssumeRoleWithRole,
        (Service::Sts, "/", "GetCallerIdentity") => CallKind::CallerIdentity,
        (Service::Console, "/federation", "getSigninToken") => CallKind::SigninToken,
        (Service::Console, "/federation", "login") => CallKind::ConsoleLogin,
        (Service::Console, "/oauth", "logout") => CallKind::ConsoleLogout,
        (Service::Console, path, _) if path != "/" && path != "/federation" => CallKind::Console,
        _ => CallKind::Other,
    }
}

/// The error that makes hyper close the connection.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the sandbox dropped this connection on purpose")
    }
}

impl std::error::Error for Dropped {}

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

const BODY_LIMIT: usize = 1 << 20;
