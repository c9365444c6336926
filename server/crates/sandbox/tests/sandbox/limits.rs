//! Guests that want too much get stopped, and the answer says why.

use std::time::Duration;

use mneme_sandbox::{Limits, TimeLimit, ToolFailure};
use serde_json::json;

use crate::support::{STUCK, attack, tight};

fn cpu_timeout() -> ToolFailure {
    ToolFailure::Timeout { kind: TimeLimit::Cpu, limit: tight().cpu }
}

fn wall_timeout(limits: &Limits) -> ToolFailure {
    ToolFailure::Timeout { kind: TimeLimit::Wall, limit: limits.wall }
}

#[tokio::test]
async fn an_endless_loop_runs_out_of_computing_time() {
    let outcome = attack("spin", json!({}), tight()).await;
    assert_eq!(outcome.result, Err(cpu_timeout()));
    assert!(outcome.duration >= Duration::from_millis(250), "{:?}", outcome.duration);
    let shown = cpu_timeout().to_string();
    assert_eq!(shown, "the tool was stopped: it used its 0.3 s of computing time");
}

/// On a runtime with one thread, a computing guest must not keep others from running.
#[tokio::test]
async fn an_endless_loop_lets_others_run() {
    let minutes = Limits { cpu: Duration::from_secs(600), wall: Duration::from_secs(600), ..tight() };
    let spinning = tokio::spawn(attack("spin", json!({}), minutes));
    for _ in 0..5 {
        let outcome = attack("remember", json!({}), tight()).await;
        assert_eq!(outcome.result, Ok("1".to_owned()));
    }
    assert!(!spinning.is_finished());
    spinning.abort();
    let stopped = spinning.await.expect_err("aborted");
    assert!(stopped.is_cancelled());
}

#[tokio::test]
async fn a_loop_over_host_calls_runs_out_of_computing_time() {
    let outcome = attack("spin_in_host_calls", json!({}), tight()).await;
    assert_eq!(outcome.result, Err(cpu_timeout()));
}

#[tokio::test]
async fn a_host_call_that_hangs_is_given_up() {
    let patient = Limits { host_call: Duration::from_millis(100), ..tight() };
    let outcome = attack("doze", json!({"label": STUCK}), patient).await;
    let expected = "the server did not answer this tool in time".to_owned();
    assert_eq!(outcome.result, Err(ToolFailure::Failed(expected)));

    let impatient = Limits { wall: Duration::from_millis(200), ..tight() };
    let outcome = attack("doze", json!({"label": STUCK}), impatient.clone()).await;
    assert_eq!(outcome.result, Err(wall_timeout(&impatient)));
    assert!(outcome.duration < Duration::from_secs(2), "{:?}", outcome.duration);
}

#[tokio::test]
async fn sleeping_costs_wall_time_but_no_computing_time() {
    let limits = Limits { cpu: Duration::from_millis(100), wall: Duration::from_secs(2), ..tight() };
    let rested = attack("nap", json!({"milliseconds": 400}), limits.clone()).await;
    let slept: u64 = rested.result.expect("a nap").parse().expect("a number");
    assert!(slept >= 400);

    let impatient = Limits { wall: Duration::from_millis(200), ..limits };
    let outcome = attack("nap", json!({"milliseconds": 60_000}), impatient.clone()).await;
    assert_eq!(outcome.result, Err(wall_timeout(&impatient)));
}

#[tokio::test]
async fn memory_growth_ends_at_the_limit() {
    let outcome = attack("grow_memory", json!({"megabytes": 1_000}), tight()).await;
    let failure = outcome.result.expect_err("too much");
    assert_eq!(failure, ToolFailure::OutOfMemory { limit: 32 << 20 });
    assert_eq!(failure.to_string(), "the tool was stopped: it needs more than its 32 MiB of memory");
    let modest = attack("grow_memory", json!({"megabytes": 8}), tight()).await;
    assert_eq!(modest.result, Ok("8".to_owned()));
}

/// A call cannot get more than the sandbox's own bound, whatever its limits say.
#[tokio::test]
async fn the_sandbox_caps_every_calls_memory() {
    let generous =
        Limits { memory_bytes: usize::MAX, cpu: Duration::from_secs(20), wall: Duration::from_secs(20), ..tight() };
    let outcome = attack("grow_memory", json!({"megabytes": 1_000}), generous).await;
    assert_eq!(outcome.result, Err(ToolFailure::OutOfMemory { limit: 256 << 20 }));
}

#[tokio::test]
async fn the_memory_of_stopped_guests_is_given_back() {
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").expect("the status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kilobytes.and_then(|n| n.parse::<u64>().ok()).expect("a number") / 1024
    };
    attack("grow_memory", json!({"megabytes": 1_000}), tight()).await;
    let before = resident();
    for _ in 0..40 {
        attack("grow_memory", json!({"megabytes": 1_000}), tight()).await;
    }
    // Other tests run meanwhile; forty leaked instances would be more than a gigabyte.
    let after = resident();
    assert!(after < before + 700, "{before} MiB, then {after} MiB");
}

#[tokio::test]
async fn deep_recursion_overflows_its_own_stack_only() {
    let outcome = attack("recurse", json!({"depth": 100_000_000}), tight()).await;
    let trapped = outcome.result.expect_err("too deep");
    assert!(matches!(trapped, ToolFailure::Trapped(_)), "{trapped:?}");
    assert_eq!(attack("recurse", json!({"depth": 100}), tight()).await.result, Ok("100".into()));
}

#[tokio::test]
async fn handles_and_random_bytes_are_bounded() {
    let few = attack("hoard_handles", json!({"count": 300}), tight()).await;
    assert_eq!(few.result, Ok("300".to_owned()));
    let many = attack("hoard_handles", json!({"count": 1_000_000}), tight()).await;
    assert!(matches!(many.result, Err(ToolFailure::Trapped(_))), "{many:?}");
    let some = attack("draw_randomness", json!({"bytes": 1 << 16}), tight()).await;
    assert_eq!(some.result, Ok("65536".to_owned()));
    let flood = attack("draw_randomness", json!({"bytes": 1u64 << 40}), tight()).await;
    assert!(matches!(flood.result, Err(ToolFailure::Trapped(_))), "{flood:?}");
}

#[tokio::test]
async fn a_panic_is_reported_with_its_message() {
    let outcome = attack("crash", json!({"message": "the sky fell"}), tight()).await;
    let failure = outcome.result.expect_err("a crash").to_string();
    assert_eq!(failure, "the tool crashed: panic: the sky fell");
    assert!(outcome.stderr.concat().contains("the sky fell"));

    let outcome = attack("leave", json!({"code": 3}), tight()).await;
    let left = outcome.result.expect_err("an exit").to_string();
    assert!(left.contains("ended itself"), "{left}");
}

#[tokio::test]
async fn floods_of_output_are_cut_and_flagged() {
    let limits = tight();
    let outcome = attack(
        "shout",
        json!({"lines": 20_000}),
        Limits { cpu: Duration::from_secs(10), wall: Duration::from_secs(20), ..limits.clone() },
    )
    .await;
    assert_eq!(outcome.result, Ok("20000".to_owned()));
    assert!(outcome.truncated);
    for (captured, first) in [(&outcome.stdout, "out 0\nout 1\n"), (&outcome.stderr, "err 0\n")] {
        assert_eq!(captured.len(), 1);
        assert_eq!(captured[0].len(), limits.log_bytes);
        assert!(captured[0].starts_with(first));
    }

    let outcome = attack("log_endlessly", json!({"lines": 5_000}), limits.clone()).await;
    assert_eq!(outcome.result, Ok("5000".to_owned()));
    assert!(outcome.truncated && outcome.stdout.is_empty());
    assert!(outcome.stderr[0].starts_with("[info] log 0\n[info] log 1\n"));

    let outcome = attack("answer_at_length", json!({"bytes": 4 << 20}), limits.clone()).await;
    assert!(outcome.truncated);
    let answer = outcome.result.expect("an answer");
    assert!(answer.len() <= limits.output_bytes && answer.chars().all(|c| c == 'é'));

    let short = attack("shout", json!({"lines": 2}), limits).await;
    assert!(!short.truncated);
    assert_eq!(short.stdout, ["out 0\nout 1\n"]);
}

#[tokio::test]
async fn control_sequences_do_not_come_through() {
    let outcome = attack("colour", json!({}), tight()).await;
    assert_eq!(outcome.result, Ok("bold\n".to_owned()));
    assert_eq!(outcome.stdout, ["red"]);
    assert_eq!(outcome.stderr, ["err[info] logged\n"]);
}
