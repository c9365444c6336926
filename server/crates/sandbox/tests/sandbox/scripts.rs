//! Programs in the real Python runtime: what they give back, and what they cannot do.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use mneme_domain::policy::{Policy, ToolKind};
use mneme_sandbox::{
    Action, Grants, Language, Limits, Mount, Program, RuntimeError, Sandbox, SandboxConfig, ScriptFailure,
    ScriptOutcome, ScriptRequest, TimeLimit, ToolFailure,
};
use serde_json::{Value, json};

use crate::net_support::{Listener, Names};
use crate::support::{Agent, shared_cache};

const MEMORY: usize = 128 << 20;

fn config() -> SandboxConfig {
    let runtimes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../builtin-tools/dist/runtimes");
    let private_hosts = vec!["good.test".parse().expect("a host")];
    SandboxConfig { runtimes_dir: Some(runtimes), max_scripts: 4, private_hosts, ..shared_cache() }
}

pub fn sandbox() -> Sandbox {
    static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
        let names = Names::with(&[("good.test", &[&["127.0.0.1"]]), ("bad.test", &[&["127.0.0.1"]])]);
        Sandbox::with_resolver(config(), names).expect("a sandbox")
    });
    SANDBOX.clone()
}

fn request(source: &str, action: Action) -> ScriptRequest {
    let policy = Policy { memory_bytes: MEMORY as u64, ..Policy::of(ToolKind::Python) };
    ScriptRequest {
        program: Program {
            source: source.to_owned(),
            filename: "tool.py".to_owned(),
            action,
            env: vec![("API_KEY".to_owned(), "k-1".to_owned())],
            agent_state: None,
        },
        host: Agent::with(&[("notes", "old")]),
        limits: Limits::of(&policy),
        grants: Grants::of(&policy),
    }
}

pub fn evaluate(source: &str) -> ScriptRequest {
    request(source, Action::Evaluate)
}

fn call(source: &str, function: &str, arguments: Value) -> ScriptRequest {
    request(source, Action::Call { function: function.to_owned(), arguments: arguments.to_string() })
}

pub async fn run(request: ScriptRequest) -> ScriptOutcome {
    let sandbox = sandbox();
    // The first run on a machine compiles the runtime, which takes longer than a program may.
    sandbox.warm_up(Language::Python).await.expect("python.wasm, built by `cargo xtask setup`");
    sandbox.run_script(Language::Python, request).await.expect("a runtime")
}

pub fn text(outcome: &ScriptOutcome) -> &str {
    match &outcome.result {
        Ok(Some(value)) => &value.text,
        other => panic!("{other:?}, {:?}", outcome.stderr),
    }
}

pub fn raised(outcome: &ScriptOutcome) -> (&str, &str) {
    match &outcome.result {
        Err(ScriptFailure::Raised(raised)) => (&raised.name, &raised.message),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_function_is_called_and_answers() {
    let source = "import os\n\ndef greet(name: str, times: int = 1):\n    print('called', times)\n    return {'to': name, 'key': os.getenv('API_KEY')}\n";
    let outcome = run(call(source, "greet", json!({"name": "Ada", "times": 2}))).await;
    let value = outcome.result.expect("a value").expect("some");
    assert_eq!(
        value.json.map(|json| serde_json::from_str::<Value>(&json).expect("JSON")),
        Some(json!({"to": "Ada", "key": "k-1"}))
    );
    assert_eq!(outcome.stdout, ["called 2\n"]);
    assert!(!outcome.truncated && outcome.denials.is_empty());
    assert!(outcome.usage.memory_bytes > 1 << 20, "{:?}", outcome.usage);

    let wrong = run(call(source, "greet", json!({"nobody": 1}))).await;
    assert!(matches!(wrong.result, Err(ScriptFailure::InvalidArguments(_))), "{wrong:?}");
    let error = run(call("def f():\n    x = 1\n    raise ValueError('no ' + str(x))\n", "f", json!({}))).await;
    assert_eq!(raised(&error), ("ValueError", "no 1"));
    let Err(ScriptFailure::Raised(error)) = error.result else { panic!("raised") };
    assert!(error.traceback.contains("line 3"), "{}", error.traceback);
}

#[tokio::test]
async fn a_cell_gives_its_last_value_and_every_run_is_fresh() {
    assert_eq!(text(&run(evaluate("x = 20\nx * 2 + 2")).await), "42");
    assert_eq!(run(evaluate("x = 1")).await.result, Ok(None));
    assert_eq!(raised(&run(evaluate("x")).await).0, "NameError");
    let draw = || async { text(&run(evaluate("import random\nrandom.random()")).await).to_owned() };
    assert_ne!(draw().await, draw().await);
}

/// What a program can change of its interpreter, small and large; it answers with what another one has left there.
const LEAVES_TRACES: &str = r#"
import builtins, collections, gc, json, os, re, sys, threading
found = [
    getattr(json, "left", None), getattr(builtins, "left", None), "left" in sys.modules, os.environ.get("LEFT"),
    json.dumps({"a": 1}), len(collections.OrderedDict.__doc__ or ""), re.purge.__name__, sys.getrecursionlimit(), gc.isenabled(),
    [name for name in dir(threading) if name.startswith("left")], (lambda: 256).__code__.co_consts, hash(3.5), sys.intern("left") is sys.intern("left"),
]
json.left = builtins.left = ["secret"] * 1000
sys.modules["left"] = json
os.environ["LEFT"] = "secret"
json.dumps = lambda value: "secret"
re.purge.__name__ = "secret"
sys.setrecursionlimit(77)
gc.disable()
for number in range(1000):
    setattr(threading, f"left{number}", b"secret" * number)
large = [bytes([number % 256]) * 100_000 for number in range(200)]
print(found)
"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_program_is_there_for_the_next() {
    let first = run(evaluate(LEAVES_TRACES)).await;
    assert!(first.result.is_ok() && !first.stdout[0].contains("secret"), "{first:?}");
    // One after the other in the same memory, and several at once in as many.
    for _ in 0..3 {
        let round = (0..4).map(|_| tokio::spawn(run(evaluate(LEAVES_TRACES))));
        for again in round.collect::<Vec<_>>() {
            assert_eq!(again.await.expect("a run").stdout, first.stdout);
        }
        assert_eq!(run(evaluate(LEAVES_TRACES)).await.stdout, first.stdout);
    }
}

#[tokio::test]
async fn limits_stop_programs() {
    let tight = |source: &str, change: fn(&mut Limits)| {
        let mut request = evaluate(source);
        change(&mut request.limits);
        request
    };
    let limit = Duration::from_millis(300);
    let spinning = run(tight("while True: pass", |limits| limits.cpu = Duration::from_millis(300))).await;
    let stopped = ScriptFailure::Stopped(ToolFailure::Timeout { kind: TimeLimit::Cpu, limit });
    assert_eq!(spinning.result, Err(stopped));
    assert!(spinning.usage.cpu >= limit, "{:?}", spinning.usage);
    let asleep = run(tight("import time\ntime.sleep(60)", |limits| limits.wall = Duration::from_millis(300))).await;
    let stopped = ScriptFailure::Stopped(ToolFailure::Timeout { kind: TimeLimit::Wall, limit });
    assert_eq!(asleep.result, Err(stopped));

    let greedy = run(evaluate("x = []\nwhile True: x.append(bytearray(1 << 20))")).await;
    assert_eq!(raised(&greedy).0, "MemoryError");
    assert!(greedy.usage.memory_bytes <= MEMORY, "{:?}", greedy.usage);
    let deep = run(evaluate("def f(): return f()\nf()")).await;
    assert_eq!(raised(&deep).0, "RecursionError");
    let shouting = run(evaluate("for _ in range(100_000): print('\\x1b[31mx' * 20)")).await;
    assert!(shouting.truncated && !shouting.stdout[0].contains('\u{1b}'));
    assert!(shouting.stdout[0].len() <= Limits::default().log_bytes);
    let long = run(tight("'y' * 5_000_000", |limits| limits.output_bytes = 1_000)).await;
    assert!(long.truncated && text(&long).len() == 1_000);
}

#[tokio::test]
async fn a_program_reaches_what_its_policy_has() {
    let (listener, canary) = (Listener::start().await, Listener::start().await);
    let get = |host: &str, port: u16| {
        evaluate(&format!("import urllib.request\nurllib.request.urlopen('http://{host}:{port}/hi').read().decode()"))
    };
    let outcome = run(get("good.test", listener.port())).await;
    assert_eq!(text(&outcome), "'/hi'");
    for host in ["127.0.0.1", "localhost", "bad.test", "[::1]", "2130706433"] {
        let outcome = run(get(host, canary.port())).await;
        assert!(outcome.result.is_err(), "{host}: {outcome:?}");
    }
    let outcome = run(get("127.0.0.1", canary.port())).await;
    assert_eq!(outcome.denials.len(), 1, "{outcome:?}");
    let closed = Grants { capabilities: Vec::new(), ..Grants::default() };
    let outcome = run(ScriptRequest { grants: closed, ..get("good.test", canary.port()) }).await;
    assert!(raised(&outcome).1.contains("missing capability: network"), "{outcome:?}");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn there_are_no_files_but_the_packages_that_were_granted() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("greeting.py"), "WORDS = 'hello from a package'\n").expect("written");
    let source = "import greeting\ngreeting.WORDS";
    assert_eq!(raised(&run(evaluate(source)).await).0, "ModuleNotFoundError");
    let mut with = evaluate(source);
    with.grants.folders = vec![Mount::packages(folder.path().to_owned())];
    assert_eq!(text(&run(with).await), "'hello from a package'");
    for path in ["/etc/passwd", "/proc/self/environ", "../../etc/passwd", "/packages/../etc/passwd"] {
        let outcome = run(evaluate(&format!("open({path:?}).read()"))).await;
        assert!(outcome.result.is_err(), "{path}: {outcome:?}");
    }
}

#[tokio::test]
async fn many_programs_at_once_share_the_room_that_there_is() {
    let sandbox = sandbox();
    sandbox.warm_up(Language::Python).await.expect("python.wasm");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..32 {
        let sandbox = sandbox.clone();
        tasks.spawn(async move { sandbox.run_script(Language::Python, evaluate(&format!("{number} * 2"))).await });
    }
    let mut answers = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let outcome = done.expect("no panic").expect("a runtime");
        answers.push(text(&outcome).parse::<u32>().expect("a number"));
    }
    answers.sort_unstable();
    assert!(answers.into_iter().eq((0..32).map(|number| number * 2)));
}

#[tokio::test]
async fn a_runtime_that_is_not_there_says_how_to_get_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let bare = SandboxConfig { runtimes_dir: Some(folder.path().to_owned()), ..SandboxConfig::default() };
    let bare = Sandbox::new(bare).expect("a sandbox");
    assert!(!bare.has_runtime(Language::JavaScript));
    let error = bare.run_script(Language::JavaScript, evaluate("1")).await.expect_err("missing");
    assert_eq!(error, RuntimeError::Missing("javascript"));
    assert!(error.to_string().contains("`mneme runtimes install javascript`"), "{error}");

    // A file that is no runtime is no crash either, and putting a better one there is enough.
    std::fs::write(folder.path().join("javascript.wasm"), "not wasm").expect("written");
    let error = bare.run_script(Language::JavaScript, evaluate("1")).await.expect_err("broken");
    assert!(matches!(error, RuntimeError::Unusable { name: "javascript", .. }), "{error}");
}
