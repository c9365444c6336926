//! Plugins that mean harm, and one that does not.

use std::collections::BTreeMap;
use std::time::Instant;

use super::*;
use crate::{PluginRequest, PluginResponse};

struct Echo;

impl PluginHost for Echo {
    fn request(&self, request: PluginRequest) -> Result<PluginResponse, String> {
        match request.url.as_str() {
            "http://allowed/" => Ok(PluginResponse { status: 201, headers: BTreeMap::new(), body: request.body }),
            other => Err(format!("denied: {other}")),
        }
    }
}

fn limits() -> PluginLimits {
    PluginLimits {
        memory_bytes: 16 << 20,
        cpu: Duration::from_millis(200),
        wall: Duration::from_secs(5),
        output_bytes: 1000,
        log_bytes: 20,
    }
}

async fn call(text: &str, function: &str, input: &str, limits: PluginLimits) -> PluginOutcome {
    let plugin = Plugin::check(&wat::parse_str(text).expect("valid text")).expect("a plugin");
    let config = vec![("KEY".to_owned(), "secret".to_owned())];
    let call = PluginCall { function: function.into(), input: input.into(), config, limits, host: Arc::new(Echo) };
    Plugins::default().call(&plugin, call).await
}

/// Functions in the low-level words of Extism: every text is a place in the kernel's memory, written byte by byte.
const HELPFUL: &str = r#"(module
    (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
    (import "extism:host/env" "length" (func $length (param i64) (result i64)))
    (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
    (import "extism:host/env" "input_offset" (func $input (result i64)))
    (import "extism:host/env" "input_length" (func $input_length (result i64)))
    (import "extism:host/env" "output_set" (func $output (param i64 i64)))
    (import "extism:host/env" "config_get" (func $config (param i64) (result i64)))
    (import "extism:host/env" "log_info" (func $log (param i64)))
    (import "extism:host/env" "http_request" (func $http (param i64 i64) (result i64)))
    (import "extism:host/env" "http_status_code" (func $status (result i32)))
    (memory 1)
    (data (i32.const 0) "KEYlong enough to be cut off")
    (data (i32.const 100) "{\"url\":\"http://allowed/\"}{\"url\":\"http://other/\"}")
    (func $text (param $from i32) (param $len i32) (result i64) (local $at i64) (local $i i32)
        (local.set $at (call $alloc (i64.extend_i32_u (local.get $len))))
        (loop $next
            (call $store (i64.add (local.get $at) (i64.extend_i32_u (local.get $i)))
                (i32.load8_u (i32.add (local.get $from) (local.get $i))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (local.get $len))))
        (local.get $at))
    (func $give (param $at i64) (call $output (local.get $at) (call $length (local.get $at))))
    (func (export "echo") (result i32)
        (call $output (call $input) (call $input_length)) (i32.const 0))
    (func (export "key") (result i32)
        (call $give (call $config (call $text (i32.const 0) (i32.const 3)))) (i32.const 0))
    (func (export "talk") (result i32)
        (call $log (call $text (i32.const 3) (i32.const 25))) (i32.const 0))
    (func (export "fetch") (result i32)
        (call $give (call $http (call $text (i32.const 100) (i32.const 25)) (call $text (i32.const 0) (i32.const 3))))
        (i32.sub (call $status) (i32.const 201)))
    (func (export "reach") (result i32)
        (drop (call $http (call $text (i32.const 125) (i32.const 23)) (i64.const 0))) (i32.const 0))
    (func (export "fail") (result i32) (i32.const 7)))"#;

#[tokio::test]
async fn a_plugin_gets_its_input_and_its_configuration_and_speaks_through_the_host() {
    let run = async |function: &str| call(HELPFUL, function, "hello", limits()).await;
    assert_eq!(run("echo").await.result, Ok("hello".into()));
    assert_eq!(run("key").await.result, Ok("secret".into()));
    assert_eq!(run("fetch").await.result, Ok("KEY".into()));
    let talk = run("talk").await;
    assert_eq!((talk.result, talk.log.as_str()), (Ok(String::new()), "info: long enough to"));
    assert_eq!(run("reach").await.result, Err(PluginFailure::Failed("denied: http://other/".into())));
    assert!(matches!(run("fail").await.result, Err(PluginFailure::Failed(_))));
    assert!(matches!(run("absent").await.result, Err(PluginFailure::Failed(_))));
    let cut = call(HELPFUL, "echo", "hello", PluginLimits { output_bytes: 2, ..limits() }).await;
    assert_eq!(cut.result, Ok("he".into()));
}

#[tokio::test]
async fn endless_plugins_end() {
    let computing = Err(PluginFailure::Timeout(limits().cpu, "computing time"));
    let endless = "(loop $again (br $again))";
    let export = format!(r#"(module (func (export "f") {endless}))"#);
    assert_eq!(call(&export, "f", "", limits()).await.result, computing);
    let start = format!(r#"(module (func $s {endless}) (start $s) (func (export "f")))"#);
    assert_eq!(call(&start, "f", "", limits()).await.result, computing, "a start function");
    let init = format!(r#"(module (func (export "_initialize") {endless}) (func (export "f")))"#);
    assert_eq!(call(&init, "f", "", limits()).await.result, computing, "an initializer");

    let patient = PluginLimits { cpu: Duration::from_secs(3600), wall: Duration::from_millis(300), ..limits() };
    let begin = Instant::now();
    assert_eq!(call(&export, "f", "", patient.clone()).await.result, Err(PluginFailure::Timeout(patient.wall, "time")));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn memory_has_an_end_and_nobody_sleeps() {
    let greedy = r#"(module (memory 1) (func (export "f") (result i32)
        (drop (memory.grow (i32.const 1000))) (i32.const 0)))"#;
    assert_eq!(call(greedy, "f", "", limits()).await.result, Err(PluginFailure::OutOfMemory(16 << 20)));
    let huge = r#"(module (memory 60000) (func (export "f")))"#;
    assert!(call(huge, "f", "", limits()).await.result.is_err());
    let recursive = r#"(module (func $f (export "f") (call $f)))"#;
    assert!(matches!(call(recursive, "f", "", limits()).await.result, Err(PluginFailure::Failed(_))));
    let sleeper = r#"(module
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "f") (result i32)
            (i32.sub (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 200)) (i32.const 58))))"#;
    assert_eq!(call(sleeper, "f", "", limits()).await.result, Ok(String::new()), "poll_oneoff is refused");
}
