//! Asking the network, as far as it goes.

use mneme_tool_sdk::{Capability, Host, ToolError, tool};

/// The right to send requests.
#[derive(Clone, Copy)]
pub struct Web;

impl<'h> Capability<'h> for Web {
    const NAMES: &'static [&'static str] = &["network"];
    fn granted(_: &'h dyn Host) -> Self {
        Self
    }
}

/// The right to use the server's API.
#[derive(Clone, Copy)]
pub struct Server;

impl<'h> Capability<'h> for Server {
    const NAMES: &'static [&'static str] = &["api"];
    fn granted(_: &'h dyn Host) -> Self {
        Self
    }
}

/// Sends a request to a URL just as it is written, and answers with the status and the body.
#[tool]
pub fn fetch(_web: &Web, method: String, url: String, body: Option<String>) -> Result<String, ToolError> {
    let answer = wire::ask(&method, &url, body.unwrap_or_default().as_bytes())?;
    Ok(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)))
}

/// The same without having declared it.
#[tool]
pub fn fetch_undeclared(url: String) -> Result<String, ToolError> {
    Ok(wire::ask("GET", &url, &[])?.status.to_string())
}

/// Goes where it is sent, again and again.
#[tool]
pub fn fetch_following(_web: &Web, url: String) -> Result<String, ToolError> {
    let mut url = url;
    loop {
        let answer = wire::ask("GET", &url, &[])?;
        match answer.location {
            Some(next) => url = next,
            None => return Ok(String::from_utf8_lossy(&answer.body).into_owned()),
        }
    }
}

/// Sends that many bytes.
#[tool]
pub fn upload(_web: &Web, url: String, bytes: usize) -> Result<String, ToolError> {
    Ok(wire::ask("POST", &url, &vec![b'x'; bytes])?.status.to_string())
}

/// Asks that many times.
#[tool]
pub fn fetch_often(_web: &Web, url: String, times: usize) -> Result<String, ToolError> {
    for _ in 0..times {
        wire::ask("GET", &url, &[])?;
    }
    Ok(times.to_string())
}

/// Asks this server's API.
#[tool]
pub fn ask_server(_server: &Server, method: String, path: String, body: String) -> Result<String, ToolError> {
    let answer = wire::ask(&method, &format!("http://mneme.internal{path}"), body.as_bytes())?;
    Ok(format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)))
}

/// Asks this server's API without having declared it.
#[tool]
pub fn ask_server_undeclared() -> Result<String, ToolError> {
    Ok(wire::ask("GET", "http://mneme.internal/v1/agents/", &[])?.status.to_string())
}

/// What came back.
struct Answer {
    status: u16,
    location: Option<String>,
    body: Vec<u8>,
}

#[cfg(target_family = "wasm")]
mod wire {
    use mneme_tool_sdk::ToolError;
    use wasip2::http::outgoing_handler;
    use wasip2::http::types::{
        ErrorCode, Fields, IncomingBody, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme,
    };
    use wasip2::io::streams::StreamError;

    use super::Answer;

    const PIECE: usize = 4096;
    const CONNECT_NS: u64 = 2_000_000_000;

    /// One request. The URL is only cut in three, never cleaned.
    pub fn ask(method: &str, url: &str, body: &[u8]) -> Result<Answer, ToolError> {
        let bad = |what: &str| ToolError::failed(format!("{what} was not accepted"));
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("the URL"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let request = OutgoingRequest::new(Fields::new());
        let method = match method {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "CONNECT" => Method::Connect,
            other => Method::Other(other.to_owned()),
        };
        let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
        request.set_method(&method).map_err(|()| bad("the method"))?;
        request.set_scheme(Some(&scheme)).map_err(|()| bad("the scheme"))?;
        request.set_authority(Some(authority)).map_err(|()| bad("the authority"))?;
        request.set_path_with_query(Some(path)).map_err(|()| bad("the path"))?;
        let outgoing = request.body().map_err(|()| bad("the body"))?;
        let options = RequestOptions::new();
        options.set_connect_timeout(Some(CONNECT_NS)).map_err(|()| bad("the timeout"))?;
        let pending = outgoing_handler::handle(request, Some(options)).map_err(failed)?;
        send(outgoing, body);
        let answer = loop {
            pending.subscribe().block();
            match pending.get() {
                Some(Ok(answer)) => break answer.map_err(failed)?,
                Some(Err(())) => return Err(bad("the answer")),
                None => {}
            }
        };
        let location = answer.headers().get("location").first().map(|value| String::from_utf8_lossy(value).into());
        let body = read(&answer.consume().map_err(|()| bad("the answer's body"))?)?;
        Ok(Answer { status: answer.status(), location, body })
    }

    /// Gives up quietly: the answer then says what was wrong.
    fn send(outgoing: OutgoingBody, body: &[u8]) {
        let Ok(stream) = outgoing.write() else { return };
        for piece in body.chunks(PIECE) {
            if stream.blocking_write_and_flush(piece).is_err() {
                return;
            }
        }
        drop(stream);
        let _ = OutgoingBody::finish(outgoing, None);
    }

    fn read(body: &IncomingBody) -> Result<Vec<u8>, ToolError> {
        let stream = body.stream().map_err(|()| ToolError::failed("there is no body"))?;
        let mut bytes = Vec::new();
        loop {
            match stream.blocking_read(PIECE as u64) {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(StreamError::Closed) => return Ok(bytes),
                Err(StreamError::LastOperationFailed(error)) => return Err(ToolError::failed(error.to_debug_string())),
            }
        }
    }

    fn failed(code: ErrorCode) -> ToolError {
        match code {
            ErrorCode::InternalError(Some(text)) => ToolError::failed(text),
            other => ToolError::failed(format!("{other:?}")),
        }
    }
}

#[cfg(not(target_family = "wasm"))]
mod wire {
    use mneme_tool_sdk::ToolError;

    use super::Answer;

    pub fn ask(_: &str, _: &str, _: &[u8]) -> Result<Answer, ToolError> {
        Err(ToolError::failed("there is no network here"))
    }
}
