//! `mneme agents` at the command line: an agent leaves one server and comes to another.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use mneme_tests::{Server, http_client, server::binary};
use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/tests/agent_files/current.af");

fn agents(folder: &Path, server: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    command.arg("agents").args(arguments).current_dir(folder).stdin(Stdio::null());
    command.env("MNEME_BASE_URL", server).env_remove("MNEME_TOKEN");
    command.output().unwrap()
}

fn words(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned()
}

/// What has to be the same on both servers.
fn essence(file: &Value) -> (Value, Value, Vec<Value>) {
    let agent = &file["agents"][0];
    let said = agent["messages"].as_array().unwrap().iter().filter(|message| message["role"] != "system");
    (agent["tool_rules"].clone(), file["blocks"].clone(), said.cloned().collect())
}

#[tokio::test]
async fn an_agent_goes_from_one_server_to_another() {
    let (first, second) = tokio::join!(Server::builder().start(), Server::builder().start());
    let home = tempfile::tempdir().unwrap();
    let came = agents(home.path(), &first.url(), &["import", FILE, "--env", "BOOKING_KEY=s3cret"]);
    assert!(came.status.success(), "{came:?}");
    let ids: Vec<String> = words(&came.stdout).lines().map(str::to_owned).collect();
    assert_eq!(ids.len(), 2);

    let left = agents(home.path(), &first.url(), &["export", &ids[0], "--output", "desk.af"]);
    assert!(left.status.success() && words(&left.stdout) == "desk.af", "{left:?}");
    let text = std::fs::read_to_string(home.path().join("desk.af")).unwrap();
    assert!(!text.contains("s3cret"));
    let file: Value = serde_json::from_str(&text).unwrap();

    let came = agents(home.path(), &second.url(), &["import", "desk.af", "--name", "Desk of two"]);
    assert!(came.status.success(), "{came:?}");
    let there = words(&came.stdout);
    let url = format!("{}/v1/agents/{there}/export", second.url());
    let back: Value = http_client().get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(back["agents"][0]["name"], "Desk of two");
    assert_eq!(essence(&back), essence(&file));

    let unknown = "agent-00000000-0000-4000-8000-000000000000";
    let missing = agents(home.path(), &first.url(), &["export", unknown]);
    assert!(!missing.status.success() && words(&missing.stderr).contains("404"), "{missing:?}");
    assert!(!home.path().join(format!("{unknown}.af")).exists(), "a failed export leaves no file");
    std::fs::write(home.path().join("odd.af"), "{}").unwrap();
    let odd = agents(home.path(), &first.url(), &["import", "odd.af"]);
    assert!(!odd.status.success() && words(&odd.stderr).contains("no agent file"), "{odd:?}");
}
