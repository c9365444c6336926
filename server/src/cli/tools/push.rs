//! `mneme tools push`: a tool's file goes to a server.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use mneme_domain::Env;
use serde_json::{Value, json};

use super::{FileKind, guest, kind_of, read, read_text};
use crate::cli::{CommandError, runtime};

/// The longest that a server may take, which compiles what it gets.
const PATIENCE: Duration = Duration::from_secs(300);

/// The server and the right to use it.
pub struct Target {
    pub server: String,
    pub token: Option<String>,
}

/// What goes along with the file.
pub struct Extras {
    pub policy: Option<PathBuf>,
    pub functions: Option<PathBuf>,
    pub tags: Vec<String>,
}

/// Sends the file and says which tools came of it.
pub fn run(file: &Path, target: &Target, extras: Extras) -> Result<ExitCode, CommandError> {
    let kind = kind_of(file)?;
    let json_file = |path: &PathBuf| -> Result<Value, CommandError> {
        let text = read_text(path)?;
        serde_json::from_str(&text).map_err(|error| CommandError::new(path.display().to_string(), error))
    };
    let policy = extras.policy.as_ref().map(json_file).transpose()?;
    let functions = extras.functions.as_ref().map(json_file).transpose()?;
    let failed = |reason: &dyn std::fmt::Display| {
        CommandError::new(format!("{} was not taken by {}", file.display(), target.server), reason)
    };
    let runtime = runtime()?;
    runtime.block_on(async {
        let client = Client::new(target).map_err(|error| failed(&error))?;
        let tools = match kind {
            FileKind::Wasm => {
                let code = read(file)?;
                let mut form = Form::new();
                if guest::is_module(&code) {
                    form.text("kind", "extism");
                }
                for (name, value) in [("policy", &policy), ("functions", &functions)] {
                    if let Some(value) = value {
                        form.text(name, &value.to_string());
                    }
                }
                extras.tags.iter().for_each(|tag| form.text("tags", tag));
                form.file(&code);
                client.send(client.post("/v1/tools/components", &form.content_type(), form.finish())).await
            }
            FileKind::Python | FileKind::Script(_) => {
                let source_type = if let FileKind::Script(name) = kind { name } else { "python" };
                let mut body = json!({ "source_code": read_text(file)?, "source_type": source_type });
                if !extras.tags.is_empty() {
                    body["tags"] = json!(extras.tags);
                }
                let made = client.send(client.put("/v1/tools/", body.to_string())).await.map(|tool| json!([tool]));
                match (made, &policy) {
                    (Ok(made), Some(policy)) => {
                        let path = format!("/v1/tools/{}/policy", made[0]["id"].as_str().unwrap_or_default());
                        client.send(client.put(&path, policy.to_string())).await.map(|_| made)
                    }
                    (made, _) => made,
                }
            }
        };
        let tools = tools.map_err(|error| failed(&error))?;
        for tool in tools.as_array().into_iter().flatten() {
            let text = |key: &str| tool[key].as_str().unwrap_or_default().to_owned();
            println!("{} {}", text("id"), text("name"));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Talks to one server.
struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

impl Client {
    fn new(target: &Target) -> Result<Self, String> {
        let base = target.server.trim_end_matches('/').to_owned();
        let url = url::Url::parse(&base).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("the address of a server begins with http:// or https://".into());
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
        Ok(Self { http: http.map_err(|error| error.to_string())?, base, token: target.token.clone() })
    }

    fn post(&self, path: &str, content_type: &str, body: Vec<u8>) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.base)).header("content-type", content_type).body(body)
    }

    fn put(&self, path: &str, body: String) -> reqwest::RequestBuilder {
        self.http.put(format!("{}{path}", self.base)).header("content-type", "application/json").body(body)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.map_err(|error| {
            let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            format!("the server cannot be reached: {reason}")
        })?;
        let status = answer.status();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        let value: Value = serde_json::from_str(&body).unwrap_or(Value::String(body));
        if status.is_success() {
            return Ok(value);
        }
        let detail = value["detail"].as_str().map_or_else(|| value.to_string(), str::to_owned);
        Err(format!("{status}: {detail}"))
    }
}

/// A multipart form, written by hand: it is a few lines around the parts.
struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    fn new() -> Self {
        Self { boundary: format!("mneme-{}", Env::system().uuid().simple()), body: Vec::new() }
    }

    fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    fn part(&mut self, head: &str, content: &[u8]) {
        self.body.extend_from_slice(
            format!("--{}\r\nContent-Disposition: form-data; {head}\r\n\r\n", self.boundary).as_bytes(),
        );
        self.body.extend_from_slice(content);
        self.body.extend_from_slice(b"\r\n");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.part(&format!("name=\"{name}\""), value.as_bytes());
    }

    fn file(&mut self, content: &[u8]) {
        self.part("name=\"file\"; filename=\"tool.wasm\"", content);
    }

    fn finish(mut self) -> Vec<u8> {
        self.body.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        self.body
    }
}
