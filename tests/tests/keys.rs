//! The master key is changed: with the real binary, on both databases, interrupted at every point.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use mneme_tests::{Postgres, Provider, Server, mcp::McpServer};
use serde_json::{Value, json};

const OLD: &str = "0101010101010101010101010101010101010101010101010101010101010101";
const NEW: &str = "0202020202020202020202020202020202020202020202020202020202020202";

fn rotate(data: &Path, database: Option<&str>, env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(mneme_tests::server::binary());
    command.env_clear().stdin(Stdio::null()).args(["keys", "rotate", "--data-dir"]).arg(data);
    command.envs(env.iter().copied());
    if let Some(url) = database {
        command.args(["--database-url", url]);
    }
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// An agent with that many variables; its path.
async fn agent(server: &Server, variables: usize) -> String {
    let secrets: serde_json::Map<String, Value> =
        (0..variables).map(|number| (format!("KEY_{number}"), json!(format!("value {number}")))).collect();
    let body = json!({
        "name": "keeper", "model": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [], "tool_exec_environment_variables": secrets,
    });
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    format!("/v1/agents/{}", agent["id"].as_str().unwrap())
}

/// The agent's variables as the API shows them to the operator.
async fn secrets(server: &Server, agent: &str) -> Vec<String> {
    let (status, found) = server.get(&format!("{agent}?include=agent.secrets")).await;
    assert_eq!(status, 200, "{found}");
    let mut secrets: Vec<String> = found["tool_exec_environment_variables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{}={}", one["key"].as_str().unwrap(), one["value"].as_str().unwrap()))
        .collect();
    secrets.sort();
    secrets
}

/// What cannot start says why, within the time that a start may take.
fn refused_start(data: &Path, database: Option<&str>, env: &[(&str, &str)]) -> String {
    let mut command = Command::new(mneme_tests::server::binary());
    command.env_clear().stdin(Stdio::null()).env("MNEME_DISCOVER_LOCAL", "false").envs(env.iter().copied());
    command.args(["serve", "--port", "0", "--data-dir"]).arg(data);
    if let Some(url) = database {
        command.args(["--database-url", url]);
    }
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", said(&output));
    said(&output)
}

#[tokio::test]
async fn the_key_of_the_data_folder_is_changed_and_secrets_stay_readable() {
    for url in [None, Some(Postgres::shared().create_database())] {
        let provider = Provider::start().await;
        let mut builder = Server::builder().provider(&provider);
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let mut server = builder.start().await;
        let (data, path) = (server.data_dir(), agent(&server, 3).await);
        let before = secrets(&server, &path).await;
        assert_eq!(before.len(), 3);
        let file = data.join("master.key");
        let old = fs::read(&file).unwrap();

        let refused = rotate(&data, url.as_deref(), &[]).output().unwrap();
        assert!(
            !refused.status.success() && said(&refused).contains("a server is running on it"),
            "{}",
            said(&refused)
        );
        assert_eq!(fs::read(&file).unwrap(), old);
        assert_eq!(secrets(&server, &path).await, before, "the running server goes on");

        server.terminate(Duration::from_secs(30)).await;
        let done = rotate(&data, url.as_deref(), &[]).output().unwrap();
        assert!(done.status.success() && said(&done).contains("3 secrets"), "{}", said(&done));
        let new = fs::read(&file).unwrap();
        assert!(new != old && !data.join("master.key.next").exists());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        server.restart().await;
        assert_eq!(secrets(&server, &path).await, before);
        server.terminate(Duration::from_secs(30)).await;

        fs::write(&file, &old).unwrap();
        let refused = refused_start(&data, url.as_deref(), &[]);
        assert!(refused.contains("encrypted under the master key"), "{refused}");
        fs::write(&file, &new).unwrap();
        server.restart().await;
        assert_eq!(secrets(&server, &path).await, before);
    }
}

#[tokio::test]
async fn a_key_of_the_settings_is_changed_to_a_given_one() {
    let provider = Provider::start().await;
    let mut server = Server::builder().provider(&provider).env("MNEME_MASTER_KEY", OLD).start().await;
    let (data, path) = (server.data_dir(), agent(&server, 2).await);
    let before = secrets(&server, &path).await;
    server.terminate(Duration::from_secs(30)).await;

    let refused = rotate(&data, None, &[("MNEME_MASTER_KEY", OLD)]).output().unwrap();
    assert!(said(&refused).contains("MNEME_NEW_MASTER_KEY"), "{}", said(&refused));
    let wrong = rotate(&data, None, &[("MNEME_MASTER_KEY", &OLD.replace('1', "7")), ("MNEME_NEW_MASTER_KEY", NEW)]);
    let wrong = { wrong }.output().unwrap();
    assert!(said(&wrong).contains("encrypted under the master key"), "{}", said(&wrong));
    let both = [("MNEME_MASTER_KEY", OLD), ("MNEME_NEW_MASTER_KEY", NEW)];
    let done = rotate(&data, None, &both).output().unwrap();
    assert!(done.status.success() && said(&done).contains("2 secrets"), "{}", said(&done));
    assert!(!data.join("master.key").exists() && !data.join("master.key.next").exists());
    for key in [OLD, NEW] {
        assert!(!said(&done).contains(key), "keys are not printed");
    }
    let again = rotate(&data, None, &both).output().unwrap();
    assert!(again.status.success() && said(&again).contains("already"), "{}", said(&again));
    let refused = refused_start(&data, None, &[("MNEME_MASTER_KEY", OLD)]);
    assert!(refused.contains("encrypted under the master key"), "{refused}");

    // Back again, with the new key in a file, and the server of before reads everything.
    let file = data.join("other.txt");
    fs::write(&file, OLD).unwrap();
    let back = rotate(&data, None, &[("MNEME_MASTER_KEY", NEW)]).arg("--new-key-file").arg(&file).output().unwrap();
    assert!(back.status.success(), "{}", said(&back));
    server.restart().await;
    assert_eq!(secrets(&server, &path).await, before);
}

/// The two places where a crash leaves something behind, as it leaves them.
#[tokio::test]
async fn a_change_that_was_interrupted_is_finished() {
    let provider = Provider::start().await;
    let mut server = Server::start(&provider).await;
    let (data, path) = (server.data_dir(), agent(&server, 2).await);
    let before = secrets(&server, &path).await;
    let (file, next) = (data.join("master.key"), data.join("master.key.next"));
    server.terminate(Duration::from_secs(30)).await;

    // Before the database had the new key: the server goes on with the old one, the next run takes the new one.
    let mut begun = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next).unwrap();
    std::io::Write::write_all(&mut begun, &[9; 32]).unwrap();
    server.restart().await;
    assert_eq!(secrets(&server, &path).await, before);
    server.terminate(Duration::from_secs(30)).await;
    let other = rotate(&data, None, &[("MNEME_NEW_MASTER_KEY", NEW)]).output().unwrap();
    assert!(said(&other).contains("a change to another key was interrupted"), "{}", said(&other));
    let old = fs::read(&file).unwrap();
    assert!(rotate(&data, None, &[]).output().unwrap().status.success());
    assert_eq!((fs::read(&file).unwrap(), next.exists()), (vec![9; 32], false));

    // After it: the server finishes the change when it starts, and so does the next run.
    for finish_by_start in [true, false] {
        fs::rename(&file, &next).unwrap();
        fs::write(&file, &old).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        if !finish_by_start {
            let done = rotate(&data, None, &[]).output().unwrap();
            assert!(done.status.success() && said(&done).contains("already"), "{}", said(&done));
        }
        server.restart().await;
        assert_eq!((fs::read(&file).unwrap(), next.exists()), (vec![9; 32], false));
        assert_eq!(secrets(&server, &path).await, before);
        server.terminate(Duration::from_secs(30)).await;
    }
}

#[tokio::test]
async fn a_change_that_is_killed_at_any_time_loses_nothing() {
    for url in [None, Some(Postgres::shared().create_database())] {
        let provider = Provider::start().await;
        let mut builder = Server::builder().provider(&provider);
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let mut server = builder.start().await;
        let (data, path) = (server.data_dir(), agent(&server, 1_500).await);
        let before = secrets(&server, &path).await;
        server.terminate(Duration::from_secs(30)).await;
        let mut killed = 0;
        for pause in [5, 20, 40, 60, 80, 120, 160, 240] {
            let mut running =
                rotate(&data, url.as_deref(), &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            tokio::time::sleep(Duration::from_millis(pause)).await;
            running.kill().unwrap();
            killed += usize::from(!running.wait().unwrap().success());
        }
        assert!(killed > 0, "no run was interrupted");
        let mut last = rotate(&data, url.as_deref(), &[]).output().unwrap();
        // PostgreSQL may still be undoing what the last one began.
        for _ in 0..100 {
            if last.status.success() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            last = rotate(&data, url.as_deref(), &[]).output().unwrap();
        }
        assert!(last.status.success(), "{}", said(&last));
        assert!(!data.join("master.key.next").exists());
        server.restart().await;
        assert_eq!(secrets(&server, &path).await, before);
    }
}

/// Gives a server a person's permission.
async fn permit(server: &Server, mcp: &str) {
    let url = format!("{}/v1/mcp-servers/connect/{mcp}", server.url());
    let mut stream = server.http().get(url).send().await.unwrap();
    let (mut text, mut asked) = (String::new(), false);
    while let Some(chunk) = stream.chunk().await.unwrap() {
        text.push_str(&String::from_utf8_lossy(&chunk));
        // The last part may not be whole yet.
        let whole = text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
        let events = whole.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        let mut events = events.map(|event| serde_json::from_str::<Value>(event).unwrap());
        let address = events.find(|event| event["event"] == "authorization_url");
        if let Some(event) = address.filter(|_| !asked) {
            asked = true;
            let page = server.http().get(event["url"].as_str().unwrap()).send().await.unwrap();
            assert_eq!(page.status().as_u16(), 200);
        }
    }
    assert!(asked && text.contains("success"), "{text}");
}

#[tokio::test]
async fn keys_of_providers_and_what_mcp_servers_were_trusted_with_are_used_after_the_change() {
    for url in [None, Some(Postgres::shared().create_database())] {
        let (provider, open, strict) = (Provider::start().await, McpServer::start().await, McpServer::start().await);
        let mut builder = Server::builder().provider(&provider);
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let mut server = builder.start().await;
        let made = async |path: &str, body: Value| {
            let (status, made) = server.post(path, &body).await;
            assert_eq!(status, 200, "{made}");
            made["id"].as_str().unwrap().to_owned()
        };
        let own = json!({"name": "mine", "provider_type": "openai", "api_key": "canary-provider",
            "base_url": provider.base_url()});
        made("/v1/providers/", own).await;
        let cloud = json!({"name": "cloud", "provider_type": "bedrock", "api_key": "canary-secret",
            "access_key": "canary-id", "region": "eu-west-1"});
        let cloud = made("/v1/providers/", cloud).await;
        let body = json!({"server_name": "open", "config": {"mcp_server_type": "streamable_http",
            "server_url": open.url(), "auth_header": "Authorization", "auth_token": "Bearer canary-mcp"}});
        let open_id = made("/v1/mcp-servers/", body).await;
        strict.ask_for_permission(3_600);
        let body = json!({"server_name": "strict", "type": "streamable_http", "server_url": strict.url()});
        let strict_id = made("/v1/mcp-servers/", body).await;
        permit(&server, &strict_id).await;
        let data = server.data_dir();

        server.terminate(Duration::from_secs(30)).await;
        let done = rotate(&data, url.as_deref(), &[]).output().unwrap();
        // A key, a key with its id (which is one too), two configurations and a permission.
        assert!(done.status.success() && said(&done).contains("6 secrets"), "{}", said(&done));
        server.restart().await;

        let agent = json!({"agent_type": "letta_v1_agent", "model": "mine/gpt-4o-mini",
            "embedding": "openai/text-embedding-3-small"});
        let (status, agent) = server.post("/v1/agents/", &agent).await;
        assert_eq!(status, 200, "{agent}");
        let path = format!("/v1/agents/{}/messages", agent["id"].as_str().unwrap());
        let message = json!({"messages": [{"role": "user", "content": "hi"}]});
        let (status, answer) = server.post(&path, &message).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(provider.chats().last().unwrap().headers["authorization"], "Bearer canary-provider");
        let (status, found) = server.get(&format!("/v1/providers/{cloud}")).await;
        assert_eq!((status, &found["region"]), (200, &json!("eu-west-1")), "{found}");
        for (id, peer) in [(&open_id, &open), (&strict_id, &strict)] {
            let before = peer.seen("tools/list").len();
            let (status, changes) = server.patch(&format!("/v1/mcp-servers/{id}/refresh"), &json!({})).await;
            assert_eq!(status, 200, "{changes}");
            assert!(peer.seen("tools/list").len() > before);
        }
        assert_eq!(open.seen("tools/list").pop().unwrap().headers["authorization"], "Bearer canary-mcp");
        let token = format!("Bearer {}", strict.tokens().pop().unwrap());
        assert_eq!(strict.seen("tools/list").pop().unwrap().headers["authorization"], token);
        assert_eq!(strict.tokens().len(), 1, "nobody was asked again");
    }
}
