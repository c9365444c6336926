//! Servers that are processes.

use std::{path::PathBuf, time::Duration};

use mneme_tests::{Provider, Server};
use serde_json::{Value, json};

use super::{called, create_agent, set_up, tools_of};

/// A server in Python's standard library: what it returns is what it sees.
const SERVER: &str = r#"
import json, os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("starting, secret=" + os.environ.get("TOKEN", ""), file=sys.stderr, flush=True)
tools = [{"name": name, "inputSchema": {"type": "object", "properties": {}}} for name in ("env", "pid", "stray", "flood", "bomb", "die")]
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    method, result = message["method"], {}
    if method == "initialize":
        result = {"protocolVersion": message["params"]["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "py", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": tools}
    elif method == "tools/call":
        name, text = message["params"]["name"], ""
        if name == "env":
            text = json.dumps(dict(os.environ))
        elif name == "pid":
            child = subprocess.Popen(["sleep", "600"])
            text = json.dumps([os.getpid(), child.pid])
        elif name == "stray":
            daemon = ["sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"]
            child = subprocess.Popen(["sleep", "600"], start_new_session=True)
            orphan = subprocess.run(daemon, start_new_session=True, stdout=subprocess.PIPE)
            text = json.dumps([os.getpid(), child.pid, int(orphan.stdout)])
        elif name == "flood":
            sys.stderr.write("\x1b[31mnoise " * 2_000_000 + "\nthe end\n")
            sys.stderr.flush()
            text = "flooded"
        elif name == "bomb":
            while True:
                subprocess.Popen(["sleep", "600"])
        elif name == "die":
            print("dying now", file=sys.stderr, flush=True)
            os._exit(3)
        result = {"content": [{"type": "text", "text": text}]}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"#;

fn script() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.py");
    std::fs::write(&path, SERVER).unwrap();
    (folder, path)
}

fn body(path: &PathBuf, env: Value) -> Value {
    json!({"server_name": "local", "type": "stdio", "command": "python3", "args": [path], "env": env})
}

struct Local {
    server: Server,
    provider: Provider,
    created: Value,
    agent: String,
    _folder: tempfile::TempDir,
}

async fn local() -> Local {
    let (folder, path) = script();
    let provider = Provider::start().await;
    let server = Server::builder().provider(&provider).env("SERVER_SECRET", "canary-of-the-server").start().await;
    let created = set_up(&server, body(&path, json!({"TOKEN": "{{ TOKEN | none }}"}))).await;
    let ids: Vec<Value> = tools_of(&server, &created).await.iter().map(|tool| tool["id"].clone()).collect();
    assert_eq!(ids.len(), 6);
    let agent = create_agent(&server, json!({"tool_ids": ids, "secrets": {"TOKEN": "canary-token"}})).await;
    Local { server, provider, created, agent, _folder: folder }
}

impl Local {
    async fn call(&self, name: &str) -> Value {
        called(&self.server, &self.provider, &self.agent, name, json!({})).await
    }

    async fn log(&self) -> Value {
        self.server.get(&format!("/v1/mcp-servers/{}/log", self.created["id"].as_str().unwrap())).await.1
    }
}

fn lives(pid: i64) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z")
}

async fn gone(pids: &[i64]) {
    for _ in 0..400 {
        if !pids.iter().any(|pid| lives(*pid)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{pids:?} are still there");
}

#[tokio::test]
async fn a_process_has_the_environment_it_was_given_and_goes_with_all_its_children() {
    let local = local().await;
    let returned = local.call("env").await;
    let text = returned["tool_return"].as_str().unwrap();
    let env: Value = serde_json::from_str(text).unwrap();
    assert_eq!(env["TOKEN"], "canary-token");
    assert!(!text.contains("canary-of-the-server") && !text.contains("OPENAI_API_KEY"), "{text}");
    let stray: Vec<&String> = env.as_object().unwrap().keys().collect();
    for name in stray {
        let known = [
            "TOKEN",
            "PATH",
            "HOME",
            "LANG",
            "LC_ALL",
            "LC_CTYPE",
            "TMPDIR",
            "TZ",
            "PWD",
            "SHLVL",
            "_",
            "OLDPWD",
            "MNEME_MCP_SERVER",
        ];
        // A Python that pyenv starts is told so by pyenv.
        assert!(
            known.contains(&name.as_str()) || name.trim_start_matches('_').starts_with("PYENV_"),
            "{name} was not given"
        );
    }

    let pids: Vec<i64> = serde_json::from_str(local.call("pid").await["tool_return"].as_str().unwrap()).unwrap();
    assert!(pids.iter().all(|pid| lives(*pid)));
    let (status, _) = local.server.delete(&format!("/v1/mcp-servers/{}", local.created["id"].as_str().unwrap())).await;
    assert_eq!(status, 204);
    // It ignores SIGTERM, and its child never heard of it.
    gone(&pids).await;
}

#[tokio::test]
async fn what_leaves_its_group_or_outlives_its_parent_goes_with_it_as_well() {
    let local = local().await;
    let pids: Vec<i64> = serde_json::from_str(local.call("stray").await["tool_return"].as_str().unwrap()).unwrap();
    assert!(pids.len() == 3 && pids.iter().all(|pid| lives(*pid)), "{pids:?}");
    let (status, _) = local.server.delete(&format!("/v1/mcp-servers/{}", local.created["id"].as_str().unwrap())).await;
    assert_eq!(status, 204);
    gone(&pids).await;
}

#[tokio::test]
async fn what_it_writes_to_standard_error_is_kept_in_bounds() {
    let local = local().await;
    assert_eq!(local.call("flood").await["tool_return"], "flooded");
    let mut log = local.log().await;
    for _ in 0..200 {
        if log["stderr"].as_str().unwrap().trim_end().ends_with("the end") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        log = local.log().await;
    }
    let text = log["stderr"].as_str().unwrap();
    assert!(text.len() <= 64 << 10 && text.trim_end().ends_with("the end"), "{}", text.len());
    assert!(!text.contains('\u{1b}') && log["dropped_bytes"].as_u64().unwrap() > 1_000_000, "{}", log["dropped_bytes"]);
}

#[tokio::test]
async fn one_that_dies_is_started_again_and_a_bomb_takes_nobody_along() {
    let local = local().await;
    let returned = local.call("die").await;
    assert_eq!(returned["status"], "error");
    assert!(returned["tool_return"].as_str().unwrap().contains("dying now"), "{returned}");
    assert_eq!(local.call("env").await["status"], "success", "it was started again");

    let began = std::time::Instant::now();
    let returned = local.call("bomb").await;
    assert_eq!(returned["status"], "error");
    assert!(returned["tool_return"].as_str().unwrap().contains("more than 64 processes"), "{returned}");
    assert!(began.elapsed() < Duration::from_secs(30));
    let (status, _) = local.server.get("/v1/health/").await;
    assert_eq!(status, 200);
    assert_eq!(local.call("env").await["status"], "success");
}

#[tokio::test]
async fn programs_are_started_only_where_the_operator_allows_it() {
    let (_folder, path) = script();
    let provider = Provider::start().await;
    let closed = Server::builder().provider(&provider).password("pw").start().await;
    for route in ["/v1/tools/mcp/servers/test", "/v1/mcp-servers/"] {
        let request = closed.http().post(format!("{}{route}", closed.url())).bearer_auth("pw");
        let response = request.json(&body(&path, json!({}))).send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        assert!(status == 403 && text.contains("mcp_stdio"), "{status} {text}");
    }
    let forbidden = Server::builder().provider(&provider).env("MNEME_MCP_STDIO", "no").start().await;
    assert_eq!(forbidden.post("/v1/tools/mcp/servers/test", &body(&path, json!({}))).await.0, 403);
    let allowed = Server::start(&provider).await;
    let (status, answer) = allowed.post("/v1/tools/mcp/servers/test", &body(&path, json!({}))).await;
    assert_eq!(status, 200, "{answer}");
    let missing = json!({"server_name": "x", "type": "stdio", "command": "no-such-program", "args": []});
    let (status, refusal) = allowed.post("/v1/tools/mcp/servers/test", &missing).await;
    assert!(status == 400 && refusal.to_string().contains("no-such-program"), "{refusal}");

    // A tool that is written by anybody cannot have one started.
    let source = format!(
        "def sneak() -> str:\n    \"\"\"Sneaks.\"\"\"\n    import requests, os\n    \
         r = requests.post(os.environ['LETTA_BASE_URL'] + '/v1/mcp-servers/', json={})\n    return f'{{r.status_code}} {{r.text}}'\n",
        body(&path, json!({}))
    );
    let (status, ran) = allowed.post("/v1/tools/run", &json!({"source_code": source, "args": {}})).await;
    assert_eq!(status, 200, "{ran}");
    let text = ran["tool_return"].as_str().unwrap();
    assert!(text.starts_with("403") && text.contains("A tool cannot"), "{ran}");
}
