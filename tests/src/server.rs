//! The real server binary as a child process, for black-box tests.
//!
//! ```no_run
//! # async fn story() {
//! use mneme_tests::{Provider, Server};
//!
//! let provider = Provider::start().await;
//! let server = Server::start(&provider).await;
//! let (status, health) = server.get("/v1/health/").await;
//! assert_eq!((status, health["status"].as_str()), (200, Some("ok")));
//! # }
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

mod binary;
mod process;

pub use binary::path as binary;

use process::Process;

use crate::Provider;
use crate::paths;

const START_ATTEMPTS: usize = 3;

/// How a server is to be started; see [`Server::builder`].
#[derive(Debug, Default)]
pub struct ServerBuilder {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

/// A running server with a data directory of its own. It is killed when dropped, and when the test process dies.
#[derive(Debug)]
pub struct Server {
    builder: ServerBuilder,
    port: u16,
    process: Process,
    home: TempDir,
    http: reqwest::Client,
}

impl ServerBuilder {
    /// Makes this the server's only model provider.
    #[must_use]
    pub fn provider(self, provider: &Provider) -> Self {
        self.env("OPENAI_API_KEY", "test").env("OPENAI_API_BASE", &provider.base_url())
    }

    /// Stores in this database instead of the default one in the data directory.
    #[must_use]
    pub fn database_url(self, url: &str) -> Self {
        self.arg("--database-url").arg(url)
    }

    /// Demands this password as the bearer token.
    #[must_use]
    pub fn password(self, password: &str) -> Self {
        self.env("LETTA_SERVER_PASSWORD", password)
    }

    /// Sets an environment variable. The server sees none of the test's own, except where to find things.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Takes an environment variable back.
    #[must_use]
    pub fn without_env(mut self, name: &str) -> Self {
        self.environment.retain(|(one, _)| one != name);
        self
    }

    /// Appends an argument to `mneme serve`.
    #[must_use]
    pub fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    /// When there is no binary, or it does not answer its health check; the message carries its log.
    pub async fn start(self) -> Server {
        let home = tempfile::Builder::new().prefix("mneme-server-").tempdir().expect("cannot create a directory");
        let http = crate::http_client();
        let mut failure = String::new();
        for _ in 0..START_ATTEMPTS {
            let port = paths::free_port();
            let mut process = self.spawn(home.path(), port);
            match process.wait_until_healthy(&http, port).await {
                Ok(()) => {
                    return Server { builder: self, port, process, home, http };
                }
                Err(reason) if reason.to_lowercase().contains("in use") => failure = reason,
                Err(reason) => panic!("{reason}"),
            }
        }
        panic!("no port could be had in {START_ATTEMPTS} attempts: {failure}");
    }

    fn spawn(&self, home: &Path, port: u16) -> Process {
        let mut arguments: Vec<String> = ["serve", "--host", "127.0.0.1", "--port"].map(str::to_owned).to_vec();
        arguments.extend([port.to_string(), "--data-dir".to_owned(), home.join("data").display().to_string()]);
        arguments.extend(self.arguments.iter().cloned());
        Process::spawn(&binary::path(), &arguments, &self.environment, &home.join("log"))
    }
}

impl Server {
    /// A server on SQLite whose only provider is this one.
    ///
    /// # Panics
    /// As [`ServerBuilder::start`].
    pub async fn start(provider: &Provider) -> Self {
        Self::builder().provider(provider).start().await
    }

    /// A server on SQLite without any provider, to be refined.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// The base URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// Everything that the server has written to standard output and standard error.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The HTTP client behind the shortcuts, for requests that need more.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Ends the server as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Asks the server to end (SIGTERM) and waits for it.
    ///
    /// # Panics
    /// When it is still there after `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> ExitStatus {
        self.process.terminate(limit).await
    }

    /// Starts a server that was killed or terminated again, otherwise set up.
    ///
    /// # Panics
    /// As [`ServerBuilder::start`].
    pub async fn restart_as(&mut self, change: impl FnOnce(ServerBuilder) -> ServerBuilder) {
        self.builder = change(std::mem::take(&mut self.builder));
        self.restart().await;
    }

    /// Whether the process is there.
    pub fn is_alive(&mut self) -> bool {
        self.process.is_alive()
    }

    /// Starts a server that was killed or terminated again, on the same data and port.
    ///
    /// # Panics
    /// As [`ServerBuilder::start`].
    pub async fn restart(&mut self) {
        self.process.kill();
        self.process = self.builder.spawn(self.home.path(), self.port);
        if let Err(reason) = self.process.wait_until_healthy(&self.http, self.port).await {
            panic!("{reason}");
        }
    }

    /// `GET path`: status and body, null when the body is no JSON.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, None).await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `PATCH path` with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap_or_else(|e| panic!("{method} {path}: {e}\n{}", self.log()));
        let status = response.status().as_u16();
        let bytes = response.bytes().await.unwrap_or_else(|e| panic!("{method} {path}: {e}\n{}", self.log()));
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}
