//! An HTTP exchange over `wasi:http`.

use std::time::Duration;

use wasip2::clocks::monotonic_clock::{Instant, now, subscribe_instant};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
    http_error_code,
};
use wasip2::io::poll::{Pollable, poll};
use wasip2::io::streams::StreamError;

use crate::ToolError;
use crate::http::{Request, Response};

/// The most that a stream takes in one blocking write, says its interface.
const WRITTEN_AT_ONCE: usize = 4096;
const READ_AT_ONCE: u64 = 64 << 10;
/// How the host begins the text of a refusal.
const REFUSAL: &str = "denied:";

/// Sends a request and reads the answer. Redirects are the caller's.
pub fn exchange(request: &Request) -> Result<Response, ToolError> {
    let outgoing = outgoing(request)?;
    // Asked for before the request is given away, written after: the host takes the bytes only once it is on its way.
    // A body that is never asked for is none, rather than one of unknown length.
    let body = match request.body.is_empty() {
        true => None,
        false => Some(outgoing.body().map_err(|()| unusable(request, "body"))?),
    };
    let deadline = now().saturating_add(nanoseconds(request.timeout));
    let pending = handle(outgoing, Some(options(request.timeout))).map_err(|error| explain(request, error))?;
    if let Some(body) = body {
        write(body, &request.body);
    }

    wait(&pending.subscribe(), deadline, request)?;
    let incoming = pending
        .get()
        .and_then(Result::ok)
        .ok_or_else(|| ToolError::failed(format!("{request} has no answer")))?
        .map_err(|error| explain(request, error))?;
    read(request, &incoming, deadline)
}

fn outgoing(request: &Request) -> Result<OutgoingRequest, ToolError> {
    let headers = Fields::new();
    let append = |name: &str, value: &str| {
        headers
            .append(name, value.as_bytes())
            .map_err(|error| ToolError::invalid(format!("the header `{name}` cannot be sent: {error}")))
    };
    for (name, value) in &request.headers {
        append(name, value)?;
    }
    if !request.body.is_empty() {
        append("content-length", &request.body.len().to_string())?;
    }
    let method = match request.method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    };
    let scheme = if request.url.is_secure() { Scheme::Https } else { Scheme::Http };
    let outgoing = OutgoingRequest::new(headers);
    outgoing.set_method(&method).map_err(|()| unusable(request, "method"))?;
    outgoing.set_scheme(Some(&scheme)).map_err(|()| unusable(request, "scheme"))?;
    outgoing.set_authority(Some(request.url.authority())).map_err(|()| unusable(request, "host"))?;
    outgoing.set_path_with_query(Some(&request.url.target())).map_err(|()| unusable(request, "path"))?;
    Ok(outgoing)
}

fn unusable(request: &Request, part: &str) -> ToolError {
    ToolError::invalid(format!("{request} cannot be sent: its {part} is not valid"))
}

/// The host has limits of its own; a longer wish than those changes nothing.
fn options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let timeout = Some(nanoseconds(timeout));
    // A host that cannot keep one of these says so. The deadline holds all the same.
    let _ = options.set_connect_timeout(timeout);
    let _ = options.set_first_byte_timeout(timeout);
    let _ = options.set_between_bytes_timeout(timeout);
    options
}

fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// Writes the body. A server may answer before it has read everything, so a failure here is not the last word:
/// the answer, or the reason why there is none, comes from the response.
fn write(body: OutgoingBody, bytes: &[u8]) {
    if let Ok(stream) = body.write() {
        for chunk in bytes.chunks(WRITTEN_AT_ONCE) {
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
    }
    let _ = OutgoingBody::finish(body, None);
}

fn read(request: &Request, incoming: &IncomingResponse, deadline: Instant) -> Result<Response, ToolError> {
    let broken = |why: &str| ToolError::failed(format!("the answer to {request} broke off: {why}"));
    let mut response = Response::new(incoming.status());
    response.headers = incoming
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), String::from_utf8_lossy(&value).into_owned()))
        .collect();

    let body: IncomingBody = incoming.consume().map_err(|()| broken("it has no body"))?;
    let stream = body.stream().map_err(|()| broken("its body cannot be read"))?;
    let ready = stream.subscribe();
    loop {
        // One byte more than wanted tells whether there is more.
        let room = (request.max_bytes + 1).saturating_sub(response.body.len()) as u64;
        if room == 0 {
            response.body.truncate(request.max_bytes);
            response.truncated = true;
            return Ok(response);
        }
        wait(&ready, deadline, request)?;
        match stream.read(room.min(READ_AT_ONCE)) {
            Ok(bytes) => response.body.extend_from_slice(&bytes),
            Err(StreamError::Closed) => return Ok(response),
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => explain(request, code),
                    None => broken(&error.to_debug_string()),
                });
            }
        }
    }
}

/// Waits until something is ready, but not past the deadline.
fn wait(ready: &Pollable, deadline: Instant, request: &Request) -> Result<(), ToolError> {
    let time_is_up = subscribe_instant(deadline);
    match poll(&[ready, &time_is_up]).contains(&0) {
        true => Ok(()),
        false => Err(late(request)),
    }
}

fn late(request: &Request) -> ToolError {
    ToolError::failed(format!("{request} was not answered within {} seconds", request.timeout.as_secs_f64()))
}

/// What went wrong, in words for the model.
fn explain(request: &Request, code: ErrorCode) -> ToolError {
    let why = match code {
        ErrorCode::InternalError(Some(text)) if text.starts_with(REFUSAL) => return ToolError::Denied(text),
        ErrorCode::HttpRequestDenied => return ToolError::Denied(format!("denied: {request}")),
        ErrorCode::DestinationIpProhibited => {
            return ToolError::Denied(format!("denied: {request}: its address is not allowed"));
        }
        ErrorCode::DnsTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => return late(request),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => "no host of that name was found".to_owned(),
        ErrorCode::ConnectionRefused => "the host refused the connection".to_owned(),
        ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => "the connection broke".to_owned(),
        ErrorCode::TlsCertificateError | ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            "no encrypted connection came about".to_owned()
        }
        ErrorCode::HttpRequestUriInvalid => "the address is not valid".to_owned(),
        ErrorCode::HttpResponseBodySize(_) => "the answer is larger than this tool may read".to_owned(),
        ErrorCode::InternalError(Some(text)) => text,
        other => format!("{other:?}"),
    };
    ToolError::failed(format!("{request} failed: {why}"))
}
