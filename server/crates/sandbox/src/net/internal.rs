//! Requests to this server itself: they never leave the process, and they carry the calling agent's owner's rights
//! rather than any credential.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use mneme_domain::policy::capability;
use url::Host;
use wasmtime_wasi_http::{Error, WasiBody};

use super::body::{Bounded, Direction};
use super::{Answer, Ticket};
use crate::HostError;
use crate::host::ApiRequest;

/// The name by which guests know this server. It is a name that no public registry gives out.
const NAME: &str = "mneme.internal";

/// Whether a host is this server.
pub fn is_internal(host: &Host<String>) -> bool {
    matches!(host, Host::Domain(name) if name == NAME)
}

/// Has the host answer a request.
pub async fn send(ticket: &Arc<Ticket>, request: Request<WasiBody>) -> Answer {
    let tried = format!("{} {}", request.method(), request.uri().path());
    let refuse = |why: &str| {
        Error::InternalError(Some(ticket.denials.refuse(capability::API, format!("{tried} of this server: {why}"))))
    };
    if !ticket.powers.api {
        return Err(refuse("this tool may not use the server's API"));
    }
    let (parts, body) = request.into_parts();
    let body = Bounded::new(body, Arc::clone(ticket), Direction::Request, ticket.left());
    let body = body.collect().await?.to_bytes();
    let headers = parts.headers.iter();
    let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let asked = ApiRequest {
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        headers: headers.collect(),
        body,
    };
    let answer = tokio::time::timeout(ticket.left(), ticket.host.api_request(asked)).await;
    let answer = match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(HostError::Denied(why))) => return Err(refuse(&why)),
        Ok(Err(other)) => return Err(Error::InternalError(Some(other.to_string()))),
        Err(_) => return Err(Error::HttpResponseTimeout),
    };
    let mut response = Response::new(bounded(ticket, answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|_| Error::HttpProtocolError)?;
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    Ok((response, Box::new(async { Ok(()) })))
}

fn bounded(ticket: &Arc<Ticket>, body: Bytes) -> WasiBody {
    Bounded::new(Full::new(body), Arc::clone(ticket), Direction::Response, ticket.left()).boxed_unsync()
}
