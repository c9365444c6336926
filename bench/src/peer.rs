//! MCP servers that answer at once: one over streamable HTTP, on a thread of its own, and one in Python over pipes.
//!
//! The path decides what the one over HTTP has: at [`ECHO`] that tool, elsewhere [`MANY`] tools that nobody calls.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::failure::{Failure, Result};

/// Where the tool `echo` is, which returns its `text` behind [`SAID`].
pub const ECHO: &str = "/echo";
/// What stands before an echo.
pub const SAID: &str = "echo: ";
/// How many tools other paths have.
pub const MANY: usize = 20;
/// The server over pipes; it has the tool `echo`.
pub const PROGRAM: &str = include_str!("peer/program.py");

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// A running server. Its thread ends with the process.
#[derive(Debug)]
pub struct Peer {
    /// Its port on the loopback interface.
    pub port: u16,
    lists: Arc<AtomicU64>,
}

impl Peer {
    /// Starts a server on a free port.
    pub fn start() -> Result<Self> {
        let lists = Arc::new(AtomicU64::new(0));
        let shared = Arc::clone(&lists);
        let (tell, told) = mpsc::channel();
        std::thread::Builder::new()
            .name("mcp-server".into())
            .spawn(move || {
                // The receiver gives up when the bench does.
                let _ = tell.send(serve(shared, &tell));
            })
            .map_err(Failure::while_doing("starting the MCP server"))?;
        let port = told.recv().map_err(Failure::while_doing("starting the MCP server"))??;
        Ok(Self { port, lists })
    }

    /// The address of a path, as a client is given it.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// How often it was asked for its tools.
    pub fn lists(&self) -> u64 {
        self.lists.load(Ordering::Relaxed)
    }
}

/// Says where it listens, then serves for ever; returns only why it could not.
fn serve(lists: Arc<AtomicU64>, tell: &mpsc::Sender<Result<u16>>) -> Result<u16> {
    let starting = "starting the MCP server";
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::while_doing(starting))?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.map_err(Failure::while_doing(starting))?;
        let address = listener.local_addr();
        let port = address.map_err(Failure::while_doing(starting))?.port();
        let _ = tell.send(Ok(port));
        loop {
            let accepted = listener.accept().await;
            let (stream, _) = accepted.map_err(Failure::while_doing("the MCP server"))?;
            stream.set_nodelay(true).map_err(Failure::while_doing("the MCP server"))?;
            let lists = Arc::clone(&lists);
            let service = service_fn(move |request| {
                let lists = Arc::clone(&lists);
                async move { answer(&lists, request).await }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // A client that goes away in the middle is its own business.
            tokio::spawn(connection);
        }
    })
}

/// Answers one request. It has no stream of its own, and keeps nothing about sessions.
async fn answer(lists: &AtomicU64, request: Request<Incoming>) -> hyper::Result<Response<Full<Bytes>>> {
    if request.method() != Method::POST {
        return Ok(empty(StatusCode::METHOD_NOT_ALLOWED));
    }
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let Ok(message) = serde_json::from_slice::<Value>(&body) else { return Ok(empty(StatusCode::BAD_REQUEST)) };
    if message["id"].is_null() {
        return Ok(empty(StatusCode::ACCEPTED));
    }
    let method = message["method"].as_str().unwrap_or_default();
    if method == "tools/list" {
        lists.fetch_add(1, Ordering::Relaxed);
    }
    let result = result(method, &message["params"], &path);
    let text = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if method == "initialize" {
        response.headers_mut().insert(SESSION, HeaderValue::from_static("bench"));
    }
    Ok(response)
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn result(method: &str, params: &Value, path: &str) -> Value {
    match method {
        "initialize" => json!({
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "bench", "version": "1"},
        }),
        "tools/list" if path == ECHO => json!({"tools": [echo()]}),
        "tools/list" => json!({"tools": (0..MANY).map(|number| one_of_many(path, number)).collect::<Vec<_>>()}),
        "tools/call" => {
            let text = params["arguments"]["text"].as_str().unwrap_or_default();
            json!({"content": [{"type": "text", "text": format!("{SAID}{text}")}]})
        }
        _ => json!({}),
    }
}

fn echo() -> Value {
    json!({
        "name": "echo",
        "description": "Says it again.",
        "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    })
}

/// A tool with as much to say about itself as most have.
fn one_of_many(path: &str, number: usize) -> Value {
    json!({
        "name": format!("find_records_{number}"),
        "description": format!(
            "Finds records of kind {number} at {path}. Use it before you answer a question about them; it returns the \
             newest first, each with its number, its title and the day of its last change."
        ),
        "inputSchema": {
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "Words that a record has in its title or its text."},
                "since": {"type": "string", "description": "The first day, as YYYY-MM-DD."},
                "order": {"type": "string", "enum": ["newest", "oldest", "title"]},
                "limit": {"type": "integer", "description": "How many are returned at most.", "default": 20},
            },
            "required": ["query"],
        },
    })
}

#[cfg(test)]
mod tests;
