//! A scripted MCP server over streamable HTTP, with an authorization server beside it: it does what a test tells it to, and
//! remembers what it was asked.
//!
//! It speaks the protocol by hand, so that it can also break it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Form, Json, Router,
    body::{Body, Bytes},
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::Engine as _;
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::{net::TcpListener, runtime::Runtime};

/// What becomes of requests of a method.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// They are never answered.
    Silent,
    /// They are answered with this status, content type and body.
    Raw(u16, &'static str, String),
    /// They are answered with a JSON text that goes on for this many bytes.
    Flood(usize),
    /// They are sent elsewhere.
    Redirect(String),
}

/// A request as it was received.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The method of the protocol.
    pub method: String,
    /// Its identifier; nothing for a notification.
    pub id: Value,
    /// Its parameters.
    pub params: Value,
    /// The headers of the HTTP request.
    pub headers: HashMap<String, String>,
}

type Call = Arc<dyn Fn(&Value) -> Value + Send + Sync>;

#[derive(Default)]
struct Script {
    tools: Mutex<Vec<Value>>,
    calls: Mutex<HashMap<String, Call>>,
    behaviours: Mutex<HashMap<String, Behaviour>>,
    seen: Mutex<Vec<Seen>>,
    sessions: Mutex<Vec<String>>,
    /// Tokens that are let in; none when nobody is asked for one.
    tokens: Mutex<Option<Vec<String>>>,
    /// Codes and refresh tokens that were given out, with the challenges of codes.
    codes: Mutex<HashMap<String, String>>,
    refresh: Mutex<Vec<String>>,
    /// How long a token lasts, in seconds.
    lasts: Mutex<u64>,
    counter: Mutex<u64>,
    port: Mutex<u16>,
    resource_metadata: Mutex<Option<String>>,
}

impl Script {
    fn next(&self, what: &str) -> String {
        let mut counter = self.counter.lock();
        *counter += 1;
        format!("{what}-{:08}", *counter)
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.lock())
    }
}

/// The server. It goes when it is dropped.
pub struct McpServer {
    script: Arc<Script>,
    /// Its own, so that with it all connections end.
    runtime: Option<Runtime>,
}

impl Drop for McpServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A tool as a server lists it.
pub fn tool(name: &str, description: &str, properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().into_iter().flat_map(|names| names.keys()).collect();
    json!({"name": name, "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": required}})
}

/// A result of words.
pub fn words(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

impl McpServer {
    /// A server with the tool `echo`, which returns its `text`.
    pub async fn start() -> Self {
        let script = Arc::new(Script::default());
        script.tools.lock().push(tool("echo", "Says it again.", json!({"text": {"type": "string"}})));
        *script.lasts.lock() = 3600;
        let mut server = Self { script, runtime: None };
        server.on_call("echo", |arguments| words(&format!("echo: {}", arguments["text"].as_str().unwrap_or_default())));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("no free port");
        *server.script.port.lock() = listener.local_addr().expect("no address").port();
        server.serve(listener);
        server
    }

    fn serve(&mut self, listener: std::net::TcpListener) {
        let router = Router::new()
            .route("/mcp", post(answer).get(no_stream).delete(no_stream))
            .route("/.well-known/oauth-protected-resource", get(resource))
            .route("/.well-known/oauth-protected-resource/mcp", get(resource))
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/register", post(register))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(self.script.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("no runtime for a scripted MCP server");
        runtime.spawn(async move {
            listener.set_nonblocking(true).expect("the listener blocks");
            let listener = TcpListener::from_std(listener).expect("no listener");
            axum::serve(listener, router).await.expect("the scripted MCP server failed");
        });
        self.runtime = Some(runtime);
    }

    /// The address to set up.
    pub fn url(&self) -> String {
        format!("{}/mcp", self.script.url())
    }

    /// The address of the whole.
    pub fn base(&self) -> String {
        self.script.url()
    }

    /// Nobody answers any more, and sessions are forgotten.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        self.script.sessions.lock().clear();
    }

    /// Answers again, at the same address.
    pub async fn start_again(&mut self) {
        let address = format!("127.0.0.1:{}", self.script.port.lock());
        for _ in 0..200 {
            if let Ok(listener) = std::net::TcpListener::bind(&address) {
                return self.serve(listener);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("the port was taken by somebody else");
    }

    /// Replaces the tools.
    pub fn set_tools(&self, tools: Vec<Value>) {
        *self.script.tools.lock() = tools;
    }

    /// What calls of a tool return.
    pub fn on_call(&self, name: &str, call: impl Fn(&Value) -> Value + Send + Sync + 'static) {
        self.script.calls.lock().insert(name.to_owned(), Arc::new(call));
    }

    /// What becomes of requests of a method; `None` answers them again.
    pub fn behave(&self, method: &str, behaviour: Option<Behaviour>) {
        let mut behaviours = self.script.behaviours.lock();
        match behaviour {
            Some(behaviour) => drop(behaviours.insert(method.to_owned(), behaviour)),
            None => drop(behaviours.remove(method)),
        }
    }

    /// Asks for a permission from now on. Tokens last for this many seconds.
    pub fn ask_for_permission(&self, lasts: u64) {
        *self.script.tokens.lock() = Some(Vec::new());
        *self.script.lasts.lock() = lasts;
    }

    /// Refuses all tokens that it gave out, before their time is over.
    pub fn revoke_tokens(&self) {
        *self.script.tokens.lock() = Some(Vec::new());
    }

    /// Gives nobody a token any more who does not bring a person's permission first.
    pub fn revoke_permissions(&self) {
        self.revoke_tokens();
        self.script.refresh.lock().clear();
    }

    /// Names another place for what is to be known about permissions.
    pub fn point_elsewhere(&self, url: &str) {
        *self.script.resource_metadata.lock() = Some(url.to_owned());
    }

    /// Every token that was given out.
    pub fn tokens(&self) -> Vec<String> {
        self.script.tokens.lock().clone().unwrap_or_default()
    }

    /// What it was asked, of a method.
    pub fn seen(&self, method: &str) -> Vec<Seen> {
        self.script.seen.lock().iter().filter(|seen| seen.method == method).cloned().collect()
    }

    /// Waits until it was asked this many times for a method.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn wait_for(&self, method: &str, count: usize) -> Vec<Seen> {
        let began = std::time::Instant::now();
        loop {
            let seen = self.seen(method);
            if seen.len() >= count {
                return seen;
            }
            assert!(began.elapsed() < PATIENCE, "{} of {count} requests of {method} came", seen.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// How long a test waits for a request.
const PATIENCE: Duration = Duration::from_secs(30);

async fn no_stream() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn answer(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    let text = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
    };
    let named: HashMap<String, String> = headers.iter().map(text).collect();
    let (id, params) = (message["id"].clone(), message["params"].clone());
    script.seen.lock().push(Seen { method: method.clone(), id, params, headers: named.clone() });
    if let Some(tokens) = &*script.tokens.lock() {
        let given = named.get("authorization").and_then(|value| value.strip_prefix("Bearer "));
        if !given.is_some_and(|given| tokens.iter().any(|token| token == given)) {
            let usual = format!("{}/.well-known/oauth-protected-resource", script.url());
            let place = script.resource_metadata.lock().clone().unwrap_or(usual);
            let challenge = format!("Bearer resource_metadata=\"{place}\"");
            return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
        }
    }
    let behaviour = script.behaviours.lock().get(&method).cloned();
    match behaviour {
        None => {}
        Some(Behaviour::Silent) => std::future::pending().await,
        Some(Behaviour::Raw(status, kind, body)) => {
            let status = StatusCode::from_u16(status).expect("no status");
            return (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        }
        Some(Behaviour::Redirect(to)) => return Redirect::temporary(&to).into_response(),
        Some(Behaviour::Flood(bytes)) => return flood(bytes),
    }
    if message.get("id").is_none() {
        return StatusCode::ACCEPTED.into_response();
    }
    let known = named.get("mcp-session-id").is_some_and(|id| script.sessions.lock().contains(id));
    if method != "initialize" && !known {
        return StatusCode::NOT_FOUND.into_response();
    }
    let result = match method.as_str() {
        "initialize" => {
            let session = script.next("session");
            script.sessions.lock().push(session.clone());
            let result = json!({
                "protocolVersion": message["params"]["protocolVersion"],
                "capabilities": {"tools": {"listChanged": true}},
                "serverInfo": {"name": "scripted", "version": "1"},
            });
            let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
            return ([("mcp-session-id", session)], Json(body)).into_response();
        }
        "tools/list" => json!({"tools": *script.tools.lock()}),
        "tools/call" => {
            let name = message["params"]["name"].as_str().unwrap_or_default();
            let call = script.calls.lock().get(name).cloned();
            match call {
                Some(call) => call(&message["params"]["arguments"]),
                None => json!({"content": [{"type": "text", "text": "no such tool"}], "isError": true}),
            }
        }
        _ => json!({}),
    };
    Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response()
}

fn flood(bytes: usize) -> Response {
    let chunk = Bytes::from(vec![b'x'; 64 << 10]);
    let start = Bytes::from_static(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"");
    let chunks = std::iter::once(start).chain(std::iter::repeat_n(chunk.clone(), bytes / chunk.len()));
    let body = Body::from_stream(futures::stream::iter(chunks.map(Ok::<_, std::convert::Infallible>)));
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn resource(State(script): State<Arc<Script>>) -> Json<Value> {
    let base = script.url();
    Json(json!({"resource": format!("{base}/mcp"), "authorization_servers": [base]}))
}

async fn metadata(State(script): State<Arc<Script>>) -> Json<Value> {
    let base = script.url();
    Json(json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "registration_endpoint": format!("{base}/register"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "scopes_supported": ["tools"],
    }))
}

async fn register(State(script): State<Arc<Script>>, Json(body): Json<Value>) -> Json<Value> {
    Json(json!({"client_id": script.next("client"), "redirect_uris": body["redirect_uris"]}))
}

/// A person who says yes.
async fn authorize(State(script): State<Arc<Script>>, Query(query): Query<HashMap<String, String>>) -> Redirect {
    assert_eq!(query["code_challenge_method"], "S256");
    let code = script.next("code");
    script.codes.lock().insert(code.clone(), query["code_challenge"].clone());
    Redirect::to(&format!("{}?code={code}&state={}", query["redirect_uri"], query["state"]))
}

async fn token(State(script): State<Arc<Script>>, Form(form): Form<HashMap<String, String>>) -> Response {
    let refuse = || (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    match form["grant_type"].as_str() {
        "authorization_code" => {
            let Some(challenge) = script.codes.lock().remove(&form["code"]) else { return refuse() };
            let digest = Sha256::digest(form["code_verifier"].as_bytes());
            if base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest) != challenge {
                return refuse();
            }
        }
        "refresh_token" => {
            let mut known = script.refresh.lock();
            let Some(at) = known.iter().position(|token| *token == form["refresh_token"]) else { return refuse() };
            known.remove(at);
        }
        _ => return refuse(),
    }
    let (access, refresh) = (script.next("access-canary"), script.next("refresh-canary"));
    script.refresh.lock().push(refresh.clone());
    script.tokens.lock().get_or_insert_default().push(access.clone());
    let lasts = *script.lasts.lock();
    let body = json!({"access_token": access, "token_type": "Bearer", "expires_in": lasts, "refresh_token": refresh});
    Json(body).into_response()
}
