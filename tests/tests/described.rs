//! The answers of nearly every operation are as descriptions of the API have them: the server's own, and the one that lies beside the
//! checkout, in `../shared/spec`. Without the latter there is nothing to compare with, and the test says so.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{path::Path, process::Command};

use mneme_tests::{Postgres, Provider, Reply, Server, mcp::McpServer, provider::Recorded};
use serde_json::Value;

/// What the walk asks its model for.
fn directed(request: &Recorded) -> Option<Reply> {
    let messages = request.messages();
    let asked = messages.iter().rposition(|message| message["role"] == "user")?;
    let content = &messages[asked]["content"];
    let text = content.as_str().or_else(|| content[0]["text"].as_str())?;
    if text.lines().any(|line| line.starts_with("SLEEP")) {
        return Some(Reply::hang());
    }
    let answered = messages[asked..].iter().any(|message| message["role"] == "tool");
    let call = text.lines().find_map(|line| line.strip_prefix("CALL ")).filter(|_| !answered)?;
    let (name, arguments) = call.split_once(' ')?;
    Some(Reply::tool_call(name, serde_json::from_str::<Value>(arguments).ok()?))
}

/// Whose description the answers are held against.
#[derive(PartialEq, Eq)]
enum Described {
    Beside,
    ByServer,
}

async fn walk(url: Option<String>, described: Described) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut spec = tests.join("../../shared/spec/openapi.json");
    if described == Described::Beside && !spec.is_file() {
        println!("SKIPPED: {} is not there, so nothing was compared", spec.display());
        return;
    }
    let (provider, mcp) = (Provider::start().await, McpServer::start().await);
    provider.script(directed).otherwise(Reply::text("Understood."));
    let mut builder = Server::builder().provider(&provider).env("MNEME_BATCH_POLL_SECONDS", "0");
    if let Some(url) = &url {
        builder = builder.database_url(url);
    }
    let server = builder.start().await;
    let folder = tempfile::tempdir().unwrap();
    if described == Described::ByServer {
        spec = folder.path().join("openapi.json");
        std::fs::write(&spec, server.get("/openapi.json").await.1.to_string()).unwrap();
    }
    let mut script = Command::new("python3");
    script
        .arg(tests.join("clients/described.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("MNEME_SPEC", spec)
        .env("MNEME_SPEC_IS_WHOLE", if described == Described::Beside { "1" } else { "0" })
        .env("MNEME_BASE_URL", server.url())
        .env("MNEME_MODEL", "openai/gpt-4o-mini")
        .env("MNEME_EMBEDDING", "openai/text-embedding-3-small")
        .env("MNEME_PROVIDER_URL", provider.base_url())
        .env("MNEME_MCP_URL", mcp.url())
        .env("MNEME_MCP_TOOL", "echo")
        .env("no_proxy", "127.0.0.1");
    let output = tokio::task::spawn_blocking(move || script.output()).await.unwrap().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}:\n{text}\n--- the server's log:\n{}", output.status, server.log());
    assert!(text.contains("operations answered as described."), "{text}");
}

#[tokio::test]
async fn answers_are_as_described_on_sqlite() {
    walk(None, Described::Beside).await;
}

#[tokio::test]
async fn answers_are_as_described_on_postgres() {
    walk(Some(Postgres::shared().create_database()), Described::Beside).await;
}

#[tokio::test]
async fn answers_are_as_the_server_describes_them() {
    walk(None, Described::ByServer).await;
}
