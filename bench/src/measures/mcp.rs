//! MCP servers: what a call costs beyond the server's own time, and how fast the tools of many are listed.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::{Bench, home, requests, timed};
use crate::client::Client;
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::load::{self, Sample, Worker};
use crate::peer::{self, Peer};

const CALLS: u64 = 2_000;
const LISTS: u64 = 200;
/// Servers whose tools are listed.
const SERVERS: usize = 50;
/// How long the program may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// What runs it.
const PYTHON: &str = "python3";

/// How a server is spoken to.
#[derive(Debug, Clone, Copy)]
pub enum Transport {
    Http,
    Stdio,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

/// A process of the program that nobody but the bench talks to.
struct Program {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Killed when dropped.
    _child: Child,
}

impl Program {
    fn start(path: &str) -> Result<Self> {
        let starting = format!("starting {PYTHON}");
        let mut command = Command::new(PYTHON);
        command.args(["-u", path]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(Failure::while_doing(&starting))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::Broken(format!("{starting}: it has no pipes")));
        };
        Ok(Self { input, output: BufReader::new(output).lines(), _child: child })
    }

    async fn ask(&mut self, request: &str) -> Result<Bytes> {
        let asking = "asking the program";
        let line = format!("{request}\n");
        self.input.write_all(line.as_bytes()).await.map_err(Failure::while_doing(asking))?;
        let answer = timeout(PATIENCE, self.output.next_line()).await.map_err(Failure::while_doing(asking))?;
        let answer = answer.map_err(Failure::while_doing(asking))?;
        answer.map(Bytes::from).ok_or_else(|| Failure::Broken(format!("{asking}: it ended")))
    }
}

/// A server without ours in between.
enum Direct {
    Http(Client),
    Stdio(Program),
}

impl Direct {
    async fn ask(&mut self, request: String) -> Result<Bytes> {
        match self {
            Self::Http(client) => client.post(peer::ECHO, request).await,
            Self::Stdio(program) => program.ask(&request).await,
        }
    }
}

/// Makes the same call directly and through the server.
struct Caller {
    direct: Direct,
    client: Client,
    path: String,
    number: u64,
    /// How long the direct calls took.
    own: Vec<Duration>,
}

impl Worker for Caller {
    /// How much longer the call takes through the server.
    async fn once(&mut self) -> Result<Duration> {
        self.number += 1;
        let arguments = json!({"text": format!("call {}.", self.number)});
        let said = format!("{}call {}.", peer::SAID, self.number);
        let params = json!({"name": "echo", "arguments": arguments});
        let request = json!({"jsonrpc": "2.0", "id": self.number, "method": "tools/call", "params": params});
        let (request, body) = (request.to_string(), json!({"args": arguments}).to_string());
        let begun = Instant::now();
        let answer = self.direct.ask(request).await?;
        let own = begun.elapsed();
        requests::check(&answer, &said)?;
        let begun = Instant::now();
        let answer = self.client.post(&self.path, body).await?;
        let whole = begun.elapsed();
        requests::check(&answer, r#""status":"success""#)?;
        requests::check(&answer, &said)?;
        self.own.push(own);
        Ok(whole.saturating_sub(own))
    }
}

/// Lists the tools of server after server; all of them are one operation.
struct Lister {
    client: Client,
    paths: Vec<String>,
}

impl Worker for Lister {
    async fn once(&mut self) -> Result<Duration> {
        let mut took = Duration::ZERO;
        for path in &self.paths {
            let begun = Instant::now();
            let body = self.client.get(path).await?;
            took += begun.elapsed();
            let tools: Vec<IgnoredAny> = serde_json::from_slice(&body).map_err(Failure::while_doing(path))?;
            if tools.len() != peer::MANY {
                return Err(Failure::Broken(format!("{path} lists {} tools", tools.len())));
            }
        }
        Ok(took)
    }
}

/// Sets a server up; its path.
async fn add(client: &mut Client, name: &str, config: &Value) -> Result<String> {
    // A database that is not the bench's own may have those of another run.
    let name = format!("bench-{}-{name}", std::process::id());
    let body = client.post("/v1/mcp-servers/", json!({"server_name": name, "config": config}).to_string()).await?;
    let made: Made = serde_json::from_slice(&body).map_err(Failure::while_doing("a new MCP server"))?;
    Ok(format!("/v1/mcp-servers/{}", made.id))
}

fn over_http(url: &str) -> Value {
    json!({"mcp_server_type": "streamable_http", "server_url": url})
}

impl Bench {
    /// What a call costs beyond the MCP server's own time.
    pub(super) async fn mcp_call(&self, transport: Transport) -> Result<Figures> {
        let home = home()?;
        let (name, config, direct) = match transport {
            Transport::Http => {
                let peer = Peer::start()?;
                ("http", over_http(&peer.url(peer::ECHO)), Direct::Http(Client::connect(peer.port).await?))
            }
            Transport::Stdio => {
                let path = home.path().join("program.py");
                fs::write(&path, peer::PROGRAM).map_err(Failure::while_doing("writing the program"))?;
                let path = path.display().to_string();
                let config = json!({"mcp_server_type": "stdio", "command": PYTHON, "args": ["-u", path]});
                ("stdio", config, Direct::Stdio(Program::start(&path)?))
            }
        };
        let server = self.launch.start(home.path()).await?;
        let mut client = Client::connect(server.port).await?;
        let added = add(&mut client, name, &config).await?;
        let path = format!("{added}/tools");
        let body = client.get(&path).await?;
        let tools: Vec<Made> = serde_json::from_slice(&body).map_err(Failure::while_doing(&path))?;
        let tool = tools.first().ok_or_else(|| Failure::Broken(format!("{path} lists no tool")))?;
        let path = format!("{path}/{}/run", tool.id);
        let mut workers = [Caller { direct, client, path, number: 0, own: Vec::new() }];
        let (warm_up, run) = self.options.limits(CALLS);
        load::run(&mut workers, warm_up).await?;
        workers[0].own.clear();
        let figures = timed(&server, &mut workers, run).await?;
        let [Caller { own, mut client, .. }] = workers;
        client.delete(&added).await?;
        server.stop().await?;
        let own = Sample::new(own, run.time).percentile(0.5);
        let note = Some(format!("the MCP server's own time, taken off, is {own:.3} ms for half of the calls"));
        Ok(Figures { rate: None, note, ..figures })
    }

    /// The tools of many servers, as they were when those were last asked.
    pub(super) async fn mcp_list(&self) -> Result<Figures> {
        let home = home()?;
        let peer = Peer::start()?;
        let server = self.launch.start(home.path()).await?;
        let mut client = Client::connect(server.port).await?;
        let mut added = Vec::new();
        for number in 0..SERVERS {
            let config = over_http(&peer.url(&format!("/many/{number}")));
            added.push(add(&mut client, &format!("many-{number}"), &config).await?);
        }
        let paths = added.iter().map(|server| format!("{server}/tools")).collect();
        let mut workers = [Lister { client, paths }];
        let (warm_up, run) = self.options.limits(LISTS);
        load::run(&mut workers, warm_up).await?;
        let before = peer.lists();
        let figures = timed(&server, &mut workers, run).await?;
        let asked = peer.lists() - before;
        let [Lister { mut client, .. }] = workers;
        // A server takes 500 of them, and a database may outlast the bench.
        for path in &added {
            client.delete(path).await?;
        }
        server.stop().await?;
        let note = Some(format!(
            "{SERVERS} requests are one operation, of {} tools in all; the MCP servers were asked {asked} times meanwhile",
            SERVERS * peer::MANY
        ));
        Ok(Figures { rate: None, note, ..figures })
    }
}
