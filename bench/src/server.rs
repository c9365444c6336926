//! The server's binary as a child. The start is polled finely, as it is itself a figure.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::client::Client;
use crate::failure::{Failure, Result};

const START_PATIENCE: Duration = Duration::from_secs(120);
const STOP_PATIENCE: Duration = Duration::from_secs(30);
/// How often a starting server is asked, and a stopping one looked at.
const POLL: Duration = Duration::from_micros(500);
/// What the server keeps of the environment; nothing else shall change how it runs.
const INHERITED: [&str; 4] = ["PATH", "HOME", "TMPDIR", "RUST_LOG"];

/// How to start servers.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The binary.
    pub binary: PathBuf,
    /// The base URL of its only model provider.
    pub provider: String,
    /// Its database, when it is not SQLite in the data directory.
    pub database_url: Option<String>,
}

impl Launch {
    /// Whether the database is Postgres.
    pub fn is_postgres(&self) -> bool {
        self.database_url.as_ref().is_some_and(|url| url.starts_with("postgres"))
    }
}

/// A running server; killed when dropped, and when the bench dies.
#[derive(Debug)]
pub struct Server {
    child: Child,
    watchdog: Child,
    /// Its port on the loopback interface.
    pub port: u16,
    /// The version that it reports.
    pub version: String,
    /// From the start of the process to the first healthy answer.
    pub started_in: Duration,
    log: PathBuf,
}

#[derive(Deserialize)]
struct Health {
    version: String,
}

impl Launch {
    /// Starts a server that keeps its data and its log in `home`, and waits until it is healthy.
    pub async fn start(&self, home: &Path) -> Result<Server> {
        let log = home.join("log");
        let output =
            File::options().create(true).append(true).open(&log).map_err(Failure::while_doing("the server's log"))?;
        let errors = output.try_clone().map_err(Failure::while_doing("the server's log"))?;
        let port = free_port()?;
        let mut command = Command::new(&self.binary);
        command
            .args(["serve", "--host", "127.0.0.1", "--port", &port.to_string()])
            .arg("--data-dir")
            .arg(home.join("data"))
            .env_clear()
            .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            // A first start shall find nothing that an earlier run has left.
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("OPENAI_API_KEY", "bench")
            .env("OPENAI_API_BASE", &self.provider)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        let begun = Instant::now();
        let child = command.spawn().map_err(Failure::while_doing(format!("starting {}", self.binary.display())))?;
        let watchdog = watch(child.id())?;
        let mut server = Server { child, watchdog, port, version: String::new(), started_in: Duration::ZERO, log };
        server.wait_until_healthy(begun).await?;
        Ok(server)
    }
}

impl Server {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to end and waits for it.
    pub async fn stop(mut self) -> Result {
        let stopping = "stopping the server";
        // By the shell's means: there is no safe way in the standard library.
        Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .map_err(Failure::while_doing(stopping))?;
        let deadline = Instant::now() + STOP_PATIENCE;
        while Instant::now() < deadline {
            let ended = self.child.try_wait();
            if ended.map_err(Failure::while_doing(stopping))?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(self.broken("the server did not stop"))
    }

    async fn wait_until_healthy(&mut self, begun: Instant) -> Result {
        while begun.elapsed() < START_PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.broken(&format!("the server ended with {status}")));
            }
            if let Ok(mut client) = Client::connect(self.port).await
                && let Ok(body) = client.get("/v1/health/").await
            {
                self.started_in = begun.elapsed();
                let health: Health = serde_json::from_slice(&body).map_err(Failure::while_doing("health"))?;
                self.version = health.version;
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(self.broken("the server did not become healthy"))
    }

    fn broken(&self, what: &str) -> Failure {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(20)..].join("\n");
        Failure::Broken(format!("{what}; the end of its log:\n{end}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The watchdog goes first: were it last, the process id could belong to somebody else by then.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A shell that waits on a pipe which the kernel closes when this process dies, and then kills the server.
fn watch(pid: u32) -> Result<Child> {
    Command::new("sh")
        .args(["-c", r#"cat >/dev/null; kill -KILL "$0" 2>/dev/null"#, &pid.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(Failure::while_doing("starting a shell"))
}

fn free_port() -> Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Failure::while_doing("a free port"))
}
