//! `mneme agents`: agents leave a server as files, and come to one.

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use clap::{Args, Subcommand};
use futures::{StreamExt, stream};
use mneme_domain::Env;
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::{CommandError, runtime};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(300);
/// How much of a file is read at once.
const PIECE: usize = 256 << 10;

/// What can be done with agents.
#[derive(Debug, Subcommand)]
pub enum Agents {
    /// Writes an agent with its memory, tools and history to a file. Secrets stay on the server.
    Export {
        /// The agent: `agent-…`.
        agent: String,
        /// Where to; by default the agent's identifier with `.af` behind it. `-` is standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write the older format, which holds one agent.
        #[arg(long)]
        legacy: bool,
        #[command(flatten)]
        target: Target,
    },
    /// Makes the agents of a file and prints their identifiers.
    Import {
        /// The file, of either format.
        file: PathBuf,
        /// The first agent's name, instead of the one that the file has.
        #[arg(long)]
        name: Option<String>,
        /// Put `_copy` behind the names.
        #[arg(long)]
        copy_suffix: bool,
        /// Keep users' tools of the same names as they are on the server.
        #[arg(long)]
        keep_tools: bool,
        /// Leave the history behind.
        #[arg(long)]
        strip_messages: bool,
        /// The embedding model: `provider/model`.
        #[arg(long, value_name = "HANDLE")]
        embedding: Option<String>,
        /// The project of the agents.
        #[arg(long)]
        project: Option<String>,
        /// A variable that the agents' tools see. May be there several times.
        #[arg(long, value_name = "NAME=VALUE")]
        env: Vec<String>,
        #[command(flatten)]
        target: Target,
    },
}

/// The server and the right to use it.
#[derive(Debug, Args)]
pub struct Target {
    /// The server.
    #[arg(long, value_name = "URL", env = "MNEME_BASE_URL", default_value = "http://localhost:8283")]
    server: String,
    /// The password or API key.
    #[arg(long, env = "MNEME_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Runs a command.
pub fn run(command: Agents) -> Result<ExitCode, CommandError> {
    match command {
        Agents::Export { agent, output, legacy, target } => {
            let what = format!("{agent} could not be exported from {}", target.server);
            let output = output.unwrap_or_else(|| PathBuf::from(format!("{agent}.af")));
            let done = runtime()?.block_on(export(&target, &agent, legacy, &output));
            done.map_err(|reason| CommandError::new(what, reason))?;
        }
        Agents::Import { file, name, copy_suffix, keep_tools, strip_messages, embedding, project, env, target } => {
            let what = format!("{} was not taken by {}", file.display(), target.server);
            let failed = |reason: String| CommandError::new(what.clone(), reason);
            let mut fields = vec![
                ("append_copy_suffix", copy_suffix.to_string()),
                ("override_existing_tools", (!keep_tools).to_string()),
                ("strip_messages", strip_messages.to_string()),
            ];
            fields.extend(name.map(|name| ("override_name", name)));
            fields.extend(embedding.map(|handle| ("override_embedding_handle", handle)));
            fields.extend(project.map(|project| ("project_id", project)));
            if !env.is_empty() {
                fields.push(("env_vars_json", variables(&env).map_err(failed)?));
            }
            let made = runtime()?.block_on(import(&target, &file, &fields)).map_err(failed)?;
            for id in made["agent_ids"].as_array().into_iter().flatten() {
                println!("{}", id.as_str().unwrap_or_default());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn variables(given: &[String]) -> Result<String, String> {
    let mut object = serde_json::Map::new();
    for pair in given {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("--env {pair}: NAME=VALUE is expected"))?;
        object.insert(name.to_owned(), value.into());
    }
    Ok(Value::Object(object).to_string())
}

impl Target {
    fn request(&self, method: reqwest::Method, path: &str) -> Result<reqwest::RequestBuilder, String> {
        let base = self.server.trim_end_matches('/');
        let url = url::Url::parse(base).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("the address of a server begins with http:// or https://".into());
        }
        let client = reqwest::Client::builder().read_timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| error.to_string())?;
        let request = client.request(method, format!("{base}{path}"));
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }
}

/// Sends a request; a refusal becomes its own words.
async fn send(request: reqwest::RequestBuilder) -> Result<reqwest::Response, String> {
    let answer = request.send().await.map_err(|error| {
        let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        format!("the server cannot be reached: {reason}")
    })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.text().await.map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let detail = value["detail"].as_str().map_or_else(|| value.to_string(), str::to_owned);
    Err(format!("{status}: {detail}"))
}

/// Writes a file beside its place and moves it there when it is whole, so that a broken export leaves nothing.
async fn export(target: &Target, agent: &str, legacy: bool, output: &Path) -> Result<(), String> {
    let encoded: String = url::form_urlencoded::byte_serialize(agent.as_bytes()).collect();
    let path = format!("/v1/agents/{encoded}/export?use_legacy_format={legacy}");
    let answer = send(target.request(reqwest::Method::GET, &path)?).await?;
    let mut pieces = answer.bytes_stream();
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", output.display());
    if output == Path::new("-") {
        let mut out = std::io::stdout().lock();
        while let Some(piece) = pieces.next().await {
            out.write_all(&piece.map_err(|error| error.to_string())?).map_err(|error| said(&error))?;
        }
        return out.flush().map_err(|error| said(&error));
    }
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| said(&error))?;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| format!("the export broke off: {error}"))?;
        file.write_all(&piece).map_err(|error| said(&error))?;
    }
    file.persist(output).map_err(|error| said(&error))?;
    println!("{}", output.display());
    Ok(())
}

/// Sends a file as it is read.
async fn import(target: &Target, file: &Path, fields: &[(&str, String)]) -> Result<Value, String> {
    let opened = tokio::fs::File::open(file).await.map_err(|error| error.to_string())?;
    let boundary = format!("mneme-{}", Env::system().uuid().simple());
    let mut head = String::new();
    for (name, value) in fields {
        head.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    head.push_str(&format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"agent.af\"\r\n\
         Content-Type: application/json\r\n\r\n"
    ));
    let tail = Bytes::from(format!("\r\n--{boundary}--\r\n"));
    let pieces = stream::try_unfold(opened, |mut opened| async move {
        let mut piece = vec![0; PIECE];
        let count = opened.read(&mut piece).await?;
        piece.truncate(count);
        Ok::<_, std::io::Error>((count > 0).then(|| (Bytes::from(piece), opened)))
    });
    let body = stream::once(async { Ok(Bytes::from(head)) }).chain(pieces).chain(stream::once(async { Ok(tail) }));
    let request = target
        .request(reqwest::Method::POST, "/v1/agents/import")?
        .header("content-type", format!("multipart/form-data; boundary={boundary}"))
        .body(reqwest::Body::wrap_stream(body));
    send(request).await?.json().await.map_err(|error| error.to_string())
}
