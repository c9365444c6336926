//! What is no tool is refused, quickly and with a reason.

use std::time::Duration;

use mneme_sandbox::{Sandbox, SandboxConfig, SandboxError};
use serde_json::json;

use crate::support::{Agent, hostile_bytes, request, sandbox};

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("valid text")
}

async fn refusal(bytes: &[u8]) -> SandboxError {
    sandbox().load(bytes).await.expect_err("refused")
}

#[tokio::test]
async fn bytes_that_are_no_component_are_refused() {
    let module = component("(module)");
    for bytes in [&b""[..], b"#!/bin/sh", b"\x7fELF", &module] {
        let error = refusal(bytes).await;
        assert!(matches!(error, SandboxError::NotAComponent(_)), "{error:?}");
    }
    let whole = hostile_bytes();
    let torn = refusal(&whole[..whole.len() / 2]).await;
    assert!(matches!(torn, SandboxError::Compile(_)), "{torn:?}");
    let mut scrambled = whole;
    for byte in scrambled.iter_mut().skip(100).step_by(97) {
        *byte ^= 0x55;
    }
    let error = refusal(&scrambled).await;
    assert!(matches!(error, SandboxError::Compile(_)), "{error:?}");
}

#[tokio::test]
async fn a_component_of_another_world_is_refused() {
    for text in [
        "(component)",
        r#"(component (import "wasi:http/outgoing-handler@9.0.0" (instance (export "handle" (func)))))"#,
    ] {
        let error = refusal(&component(text)).await;
        assert!(matches!(error, SandboxError::WrongWorld(_)), "{text}: {error:?}");
    }
}

#[tokio::test]
async fn an_unknown_import_is_named() {
    for import in ["evil:host/shell", "wasi:nn/graph@0.2.0", "mneme:script/interpreter@0.1.0", "run"] {
        let kind = if import.contains(':') { r#"(instance (export "run" (func)))"# } else { "(func)" };
        let error = refusal(&component(&format!("(component (import \"{import}\" {kind}))"))).await;
        assert_eq!(error, SandboxError::UnknownImport(import.to_owned()));
    }
}

/// What one runtime of the server's own needs is not for components.
#[tokio::test]
async fn exceptions_and_collected_memory_are_refused() {
    for core in ["module (tag)", "module (type (struct))", "module (type (array i32))"] {
        let error = refusal(&component(&format!("(component (core {core}))"))).await;
        assert!(matches!(error, SandboxError::Compile(_)), "{core}: {error:?}");
    }
}

/// Whatever happens to the bytes on their way, the answer is an error or a tool.
#[tokio::test]
async fn truncated_and_altered_bytes_never_do_harm() {
    let whole = hostile_bytes();
    let sandbox = Sandbox::new(SandboxConfig::default()).expect("a sandbox");
    for length in (0..2_000).step_by(61).chain((2_000..whole.len()).step_by(20_011)) {
        sandbox.load(&whole[..length]).await.expect_err("torn");
    }
    // The headers of sections, where a wrong number means most.
    for place in (8..600).step_by(23) {
        let mut altered = whole.clone();
        altered[place] ^= 0xff;
        if let Ok(guest) = sandbox.load(&altered).await {
            assert!(!guest.tools().is_empty());
        }
    }
}

#[tokio::test]
async fn an_oversized_component_is_refused_before_it_is_read() {
    let small = Sandbox::new(SandboxConfig { max_component_bytes: 1_000, ..SandboxConfig::default() });
    let bytes = hostile_bytes();
    let error = small.expect("a sandbox").load(&bytes).await;
    assert_eq!(error.expect_err("too large"), SandboxError::TooLarge { size: bytes.len(), limit: 1_000 });
}

/// A small file can mean much work for the compiler.
#[tokio::test]
async fn a_million_functions_are_refused_or_given_up() {
    let functions = |count: usize| component(&format!("(component (core module {}))", "(func)".repeat(count)));
    let error = refusal(&functions(1_000_001)).await;
    assert!(matches!(error, SandboxError::Compile(_)), "{error:?}");

    let hurried = Sandbox::new(SandboxConfig { compile_timeout: Duration::from_millis(1), ..SandboxConfig::default() });
    let error = hurried.expect("a sandbox").load(&functions(20_000)).await;
    assert_eq!(error.expect_err("too slow"), SandboxError::CompileTimeout(Duration::from_millis(1)));
}

/// More memory at the start than any call can have.
#[tokio::test]
async fn a_component_that_can_never_fit_is_refused() {
    let error = refusal(&component(
        r#"(component
            (core module $m (memory 60000) (func (export "f")))
            (core instance (instantiate $m)))"#,
    ))
    .await;
    assert!(matches!(error, SandboxError::Compile(_)), "{error:?}");
}

/// `older-tool.wasm` was built with the SDK and the interfaces of the first days, before guests could send requests or
/// keep anything in archival memory. It is never built again: what it was built against has to stay as it was.
#[tokio::test]
async fn a_tool_from_before_later_interfaces_still_works() {
    let bytes = include_bytes!("../fixtures/older-tool.wasm");
    let guest = sandbox().load(bytes).await.expect("it loads");
    let tool = guest.tool("jot").expect("its tool");
    assert_eq!(tool.description, "Adds a line to a memory block.");
    assert_eq!(tool.parameters["required"], json!(["label", "line"]));
    assert_eq!(tool.capabilities, ["memory-read", "memory-write"]);
    let agent = Agent::with(&[("notes", "first")]);
    let outcome =
        sandbox().call(&guest, request(&agent, "jot", json!({"label": "notes", "line": "ünï", "times": 2}))).await;
    assert_eq!(outcome.result.expect("an answer").split(" of ").next(), Some("13"));
    assert_eq!(agent.value("notes"), "first\nünï\nünï");
    let refused =
        sandbox().call(&guest, request(&agent, "jot", json!({"label": "notes", "line": "x", "times": 11}))).await;
    assert!(refused.result.expect_err("refused").to_string().contains("at most 10"));
    let missing = sandbox().call(&guest, request(&agent, "jot", json!({"label": "nothing", "line": "x"}))).await;
    assert!(missing.result.is_err());
}
