//! Compiling in a process of its own: what comes of it, and what it cannot do to the server.
//!
//! This program is the compiling process as well, so it has its own `main`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mneme_sandbox::{CompileJob, Sandbox, SandboxConfig, SandboxError};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, command, cache_dir, memory, cpu, kind] = &arguments[..]
        && command == CompileJob::COMMAND
    {
        let number = |text: &str| text.parse().expect("a number");
        let (memory_bytes, cpu_seconds) = (number(memory), number(cpu));
        return CompileJob { cache_dir: PathBuf::from(cache_dir), memory_bytes, cpu_seconds, kind: kind.clone() }.run();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        // First: what is measured is what a server holds after it started for the first time.
        the_memory_for_compiling_is_not_the_servers().await;
        an_invalid_component_is_refused_with_the_reason().await;
        a_component_that_needs_too_much_is_refused_and_not_tried_again_here().await;
        a_compilation_that_takes_too_long_is_ended().await;
        without_a_compiling_process_the_server_compiles().await;
    });
    println!("compiler: 5 tests passed");
    ExitCode::SUCCESS
}

fn config(folder: &Path) -> SandboxConfig {
    SandboxConfig {
        cache_dir: Some(folder.join("cache")),
        compiler: Some(std::env::current_exe().expect("this program")),
        ..SandboxConfig::default()
    }
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("valid text")
}

fn functions(count: usize) -> Vec<u8> {
    let body = "(func (param i32) (result i32) local.get 0 i32.const 7 i32.mul local.get 0 i32.rotl)";
    component(&format!("(component (core module {}))", body.repeat(count)))
}

fn artefacts(root: &Path) -> usize {
    let Ok(entries) = fs::read_dir(root) else { return 0 };
    let entries = entries.filter_map(|entry| Some(entry.ok()?.path()));
    entries
        .map(
            |path| {
                if path.is_dir() {
                    artefacts(&path)
                } else {
                    usize::from(path.extension().is_some_and(|e| e == "cwasm"))
                }
            },
        )
        .sum()
}

fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}

async fn the_memory_for_compiling_is_not_the_servers() {
    let root = tempfile::tempdir().expect("a folder");
    let before = resident_mib();
    let sandbox = Sandbox::new(config(root.path())).expect("a sandbox");
    let builtins = sandbox.builtin().await.expect("compiled");
    let with_process = resident_mib() - before;
    assert!(builtins.find("memory_insert").is_some());
    assert!(artefacts(root.path()) > 0, "the process left its result in the cache");

    let other = tempfile::tempdir().expect("a folder");
    let here = SandboxConfig { compiler: None, ..config(other.path()) };
    Sandbox::new(here).expect("a sandbox").builtin().await.expect("compiled");
    let without = resident_mib() - before - with_process;
    println!("memory for a first start: {with_process} MiB, {without} MiB more when compiling here");
    assert!(with_process < 30 && with_process < without, "{with_process} MiB, {without} MiB");
}

async fn an_invalid_component_is_refused_with_the_reason() {
    let root = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::new(config(root.path())).expect("a sandbox");
    let mut torn = functions(100);
    torn.truncate(torn.len() / 2);
    let error = sandbox.load(&torn).await.expect_err("refused");
    assert!(matches!(&error, SandboxError::Compile(reason) if reason.contains("out of bounds")), "{error:?}");
    // A bad component is not a failure of the process: the next one works.
    assert!(matches!(sandbox.load(&functions(1)).await, Err(SandboxError::WrongWorld(_))));
}

async fn a_component_that_needs_too_much_is_refused_and_not_tried_again_here() {
    let root = tempfile::tempdir().expect("a folder");
    let narrow = SandboxConfig { compile_memory_bytes: 48 << 20, ..config(root.path()) };
    let sandbox = Sandbox::new(narrow).expect("a sandbox");
    let bomb = functions(100_000);
    let before = resident_mib();
    let error = sandbox.load(&bomb).await.expect_err("refused");
    assert!(matches!(&error, SandboxError::Compile(reason) if reason.contains("more memory or time")), "{error:?}");
    assert_eq!(artefacts(root.path()), 0);
    let after = resident_mib();
    assert!(after < before + 60, "{before} MiB, then {after} MiB");
}

async fn a_compilation_that_takes_too_long_is_ended() {
    let root = tempfile::tempdir().expect("a folder");
    let hurried = SandboxConfig { compile_timeout: Duration::from_millis(300), ..config(root.path()) };
    let sandbox = Sandbox::new(hurried).expect("a sandbox");
    let bomb = functions(300_000);
    let start = Instant::now();
    let error = sandbox.load(&bomb).await.expect_err("given up");
    assert_eq!(error, SandboxError::CompileTimeout(Duration::from_millis(300)));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    // Its place is free again, so the process is gone: nobody else's component waits for it.
    let error = sandbox.load(&functions(1)).await.expect_err("no tool");
    assert!(matches!(error, SandboxError::WrongWorld(_)), "{error:?}");
}

async fn without_a_compiling_process_the_server_compiles() {
    for program in ["/nonexistent/mneme", "/bin/false"] {
        let root = tempfile::tempdir().expect("a folder");
        let broken = SandboxConfig { compiler: Some(program.into()), ..config(root.path()) };
        let builtins = Sandbox::new(broken).expect("a sandbox").builtin().await.expect("compiled");
        assert!(builtins.find("memory_insert").is_some(), "{program}");
        assert!(artefacts(root.path()) > 0, "{program}");
    }
}
