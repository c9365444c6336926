//! A gigabyte of output, a million lines of log: what is kept is small, and so is what it costs.

use std::path::Path;
use std::time::Duration;

use mneme_domain::policy::{Policy, ToolKind};
use mneme_sandbox::{
    Action, Grants, Language, Limits, Program, Sandbox, SandboxConfig, ScriptFailure, ScriptOutcome, ScriptRequest,
};
use serde_json::json;

use crate::support::{Agent, attack, shared_cache, tight};

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

async fn python(source: &str) -> ScriptOutcome {
    let runtimes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../builtin-tools/dist/runtimes");
    let config = SandboxConfig { runtimes_dir: Some(runtimes), max_scripts: 2, ..shared_cache() };
    let sandbox = Sandbox::new(config).expect("a sandbox");
    sandbox.warm_up(Language::Python).await.expect("python.wasm, built by `cargo xtask setup`");
    let policy = Policy::of(ToolKind::Python);
    let program = Program {
        source: source.to_owned(),
        filename: "tool.py".to_owned(),
        action: Action::Evaluate,
        env: Vec::new(),
        agent_state: None,
    };
    let (host, limits, grants) = (Agent::with(&[]), Limits::of(&policy), Grants::of(&policy));
    sandbox.run_script(Language::Python, ScriptRequest { program, host, limits, grants }).await.expect("a runtime")
}

#[tokio::test]
async fn a_gigabyte_of_output_is_cut_and_flagged() {
    let source = "import sys\nchunk = '\\x1b[31m' + 'x' * (1 << 20)\nfor _ in range(1024):\n    sys.stdout.write(chunk)\n\
                  sys.stderr.write(chunk * 8)\n'through'";
    python("1").await;
    let before = resident_mib();
    let outcome = python(source).await;
    let after = resident_mib();
    assert_eq!(
        outcome.result.as_ref().map(|value| value.as_ref().map(|value| value.text.as_str())),
        Ok(Some("'through'"))
    );
    assert!(outcome.truncated);
    let log = Limits::default().log_bytes;
    for texts in [&outcome.stdout, &outcome.stderr] {
        assert!(texts.len() == 1 && texts[0].len() <= log && !texts[0].contains('\u{1b}'), "{}", texts.concat().len());
    }
    // Other tests run meanwhile; a gigabyte that was kept would show all the same.
    assert!(after < before + 700, "{before} MiB, then {after} MiB");

    let outcome = python("'y' * (1 << 30)").await;
    let Err(ScriptFailure::Raised(raised)) = &outcome.result else { panic!("{outcome:?}") };
    assert_eq!(raised.name, "MemoryError");
}

#[tokio::test]
async fn a_million_lines_of_log_are_cut_and_flagged() {
    let patient = Limits { cpu: Duration::from_secs(60), wall: Duration::from_secs(120), ..tight() };
    let outcome = attack("log_endlessly", json!({"lines": 1_000_000}), patient.clone()).await;
    assert_eq!(outcome.result, Ok("1000000".to_owned()));
    assert!(outcome.truncated && outcome.stderr[0].len() <= patient.log_bytes);
}
