//! The language runtimes' own cases, in the real sandbox. The same files are checked where the runtimes are built.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mneme_domain::policy::{Policy, ToolKind};
use mneme_sandbox::{
    Action, ConversationHit, ConversationQuery, Grants, HostError, Language, Limits, MemoryBlock, Mount, Program,
    Sandbox, SandboxConfig, ScriptFailure, ScriptOutcome, ScriptRequest, ToolHost,
};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use crate::net_support::Names;
use crate::support::shared_cache;

fn runtimes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../builtin-tools")
}

/// Memory blocks of which one is locked, as the cases want them.
#[derive(Default)]
struct Blocks {
    values: Mutex<BTreeMap<String, String>>,
    writes: Mutex<Map<String, Value>>,
}

#[async_trait]
impl ToolHost for Blocks {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        Ok(self.values.lock().iter().map(|(label, value)| block(label, value)).collect())
    }

    async fn block(&self, label: &str) -> Result<MemoryBlock, HostError> {
        let values = self.values.lock();
        let value = values.get(label).ok_or_else(|| HostError::NotFound(format!("there is no block {label}")))?;
        Ok(block(label, value))
    }

    async fn set_block(&self, label: &str, value: String) -> Result<(), HostError> {
        if label == "locked" {
            return Err(HostError::ReadOnly("the block locked is read-only".to_owned()));
        }
        self.values.lock().insert(label.to_owned(), value.clone());
        self.writes.lock().insert(label.to_owned(), value.into());
        Ok(())
    }

    async fn search_conversation(&self, _: ConversationQuery) -> Result<Vec<ConversationHit>, HostError> {
        Ok(Vec::new())
    }

    fn agent_id(&self) -> &str {
        "agent-1"
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn now(&self) -> i64 {
        0
    }
}

fn block(label: &str, value: &str) -> MemoryBlock {
    let (label, value) = (label.to_owned(), value.to_owned());
    MemoryBlock { label, value, description: None, limit: 100, read_only: false }
}

/// The server that some cases ask; it is killed when dropped.
struct Echo {
    child: Child,
    url: String,
}

impl Echo {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|found| found.local_addr()).expect("a port").port();
        let program = runtimes().join("runtimes/python/tests/echo_server.py");
        let mut command = Command::new("python3");
        command.arg(program).arg(port.to_string()).stdin(Stdio::null());
        let child = command.spawn().expect("python3");
        let mut tries = 0;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            tries += 1;
            assert!(tries < 400, "the echo server does not answer");
            std::thread::sleep(Duration::from_millis(25));
        }
        Self { child, url: format!("http://good.test:{port}") }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(language: Language, case: &Value, server: &str, host: Arc<Blocks>) -> ScriptRequest {
    let text = |key: &str| case[key].as_str().map(|text| text.replace("{server}", server));
    let kind = if language == Language::Python { ToolKind::Python } else { ToolKind::Javascript };
    let policy = Policy::of(kind);
    let mut grants = Grants::of(&policy);
    if case["needs"] == "packages" {
        grants.folders.push(Mount::packages(runtimes().join("runtimes/python/tests/packages")));
    }
    let arguments = if case["arguments"].is_null() { json!({}) } else { case["arguments"].clone() };
    let action = match text("function") {
        Some(function) => Action::Call { function, arguments: arguments.to_string() },
        None => Action::Evaluate,
    };
    let unnamed = if language == Language::Python { "tool.py" } else { "tool.js" };
    let env = case["environment"].as_object().cloned().unwrap_or_default();
    let value = |value: &Value| value.as_str().unwrap_or_default().replace("{server}", server);
    ScriptRequest {
        program: Program {
            source: text("source").expect("a source"),
            filename: text("filename").unwrap_or_else(|| unnamed.to_owned()),
            action,
            env: env.iter().map(|(name, text)| (name.clone(), value(text))).collect(),
            agent_state: case["agent-state"].is_object().then(|| case["agent-state"].to_string()),
        },
        host,
        limits: Limits::of(&policy),
        grants,
    }
}

/// An outcome in the words of the cases.
fn seen(outcome: &ScriptOutcome, host: &Blocks) -> Value {
    let shown = |display: &mneme_sandbox::Display| {
        format!("{}: {}", display.media_type, String::from_utf8_lossy(&display.data))
    };
    let mut seen = json!({
        "stdout": outcome.stdout.concat(),
        "stderr": outcome.stderr.concat(),
        "displays": outcome.displays.iter().map(shown).collect::<Vec<_>>(),
    });
    match &outcome.result {
        Ok(None) => seen["none"] = true.into(),
        Ok(Some(value)) => {
            seen["text"] = value.text.as_str().into();
            if let Some(json) = &value.json {
                seen["json"] = serde_json::from_str(json).expect("JSON");
            }
        }
        Err(ScriptFailure::InvalidArguments(text)) => seen["invalid"] = text.as_str().into(),
        Err(ScriptFailure::Raised(raised)) => {
            seen["error"] = raised.name.as_str().into();
            seen["message"] = raised.message.as_str().into();
            seen["traceback"] = raised.traceback.as_str().into();
        }
        Err(other) => seen["failure"] = other.to_string().into(),
    }
    let writes = host.writes.lock();
    if !writes.is_empty() {
        seen["writes"] = Value::Object(writes.clone());
    }
    seen
}

/// Whether two values are the same; numbers count by what they are worth.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

/// What is not as the case expects it.
fn wrong(case: &Value, seen: &Value) -> Vec<String> {
    let nothing = Map::new();
    let expected = case["expect"].as_object().unwrap_or(&nothing);
    let mut wrong = Vec::new();
    for (key, expected) in expected {
        let fits = match key.strip_suffix("-contains") {
            Some(key) => {
                let text = seen[key].as_str().unwrap_or_default();
                let parts = expected.as_array().cloned().unwrap_or_else(|| vec![expected.clone()]);
                parts.iter().all(|part| part.as_str().is_some_and(|part| text.contains(part)))
            }
            None => same(&seen[key.as_str()], expected),
        };
        if !fits {
            wrong.push(format!("{}: {key} should be {expected}, in {seen}", case["name"]));
        }
    }
    wrong
}

async fn replay(language: Language, least: usize) {
    let path = runtimes().join(format!("runtimes/{}/tests/cases.toml", language.name()));
    let text = std::fs::read_to_string(&path).expect("the cases");
    let cases: Value = toml::from_str(&text).expect("TOML");
    let echo = Echo::start();
    // The cases speak of a host that refuses connections; that it may be asked is another test's business.
    let private_hosts = ["good.test", "127.0.0.1:9"].map(|host| host.parse().expect("a host")).to_vec();
    let config =
        SandboxConfig { runtimes_dir: Some(runtimes().join("dist/runtimes")), private_hosts, ..shared_cache() };
    let sandbox = Sandbox::with_resolver(config, Names::with(&[("good.test", &[&["127.0.0.1"]])])).expect("a sandbox");
    sandbox.warm_up(language).await.expect("a runtime, built by `cargo xtask setup`");
    let cases = cases["case"].as_array().expect("cases");
    assert!(cases.len() >= least, "{} cases", cases.len());
    let mut failures = Vec::new();
    for case in cases {
        let host = Arc::new(Blocks::default());
        for (label, value) in case["blocks"].as_object().into_iter().flatten() {
            host.values.lock().insert(label.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        let outcome = sandbox.run_script(language, request(language, case, &echo.url, host.clone())).await;
        failures.extend(wrong(case, &seen(&outcome.expect("a runtime"), &host)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test]
async fn every_case_of_the_python_runtime() {
    replay(Language::Python, 45).await;
}

#[tokio::test]
async fn every_case_of_the_javascript_runtime() {
    replay(Language::JavaScript, 28).await;
}
