//! Multipart forms, and components made for one purpose.

use reqwest::Response;
use serde_json::Value;

use mneme_tests::Server;

const BOUNDARY: &str = "boundary-of-a-test";

/// The content type of [`form`].
pub fn content_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

/// A form with texts and a file.
pub fn form(texts: &[(&str, &str)], file: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, text) in texts {
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        body.extend_from_slice(head.as_bytes());
    }
    body.extend_from_slice(file_head().as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

/// What stands before a file's bytes.
pub fn file_head() -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"t.wasm\"\r\n\r\n")
}

/// Sends a body to the door for uploads.
pub async fn send(server: &Server, body: impl Into<reqwest::Body>) -> reqwest::Result<Response> {
    let request = server.http().post(format!("{}/v1/tools/components", server.url()));
    request.header("content-type", content_type()).body(body).send().await
}

/// Uploads a file; status and body.
pub async fn upload(server: &Server, texts: &[(&str, &str)], file: &[u8]) -> (u16, Value) {
    let answer = send(server, form(texts, file)).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Reads a file of the checkout, which `cargo xtask setup` built.
pub fn built(path: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask setup`", path.display()))
}

const SPEC: &str = r#"(record (field "name" string) (field "description" string) (field "parameters" string)
    (field "capabilities" (list string)))"#;
const ERROR: &str = r#"(variant (case "invalid-arguments" string) (case "failed" string) (case "denied" string))"#;
const CALL: &str = r#"(param "name" string) (param "arguments" string) (result (result string (error ERR)))"#;
/// Where the list of a component's tools is in its memory.
const LIST: usize = 32;
/// The size of one of them.
const ITEM: usize = 32;

/// A component with the exports of a tool: `describe` is instructions that leave the place of a list, `data` the memory
/// from 16 on, `export` the name of the interface.
pub fn component(describe: &str, data: &[u8], export: &str) -> Vec<u8> {
    let data: String = data.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let canon = r#"(memory (core memory $i "memory")) (realloc (core func $i "realloc"))"#;
    let (outer, inner, outward) =
        (CALL.replace("ERR", "$error"), CALL.replace("ERR", "$e"), CALL.replace("ERR", "$e2"));
    let text = format!(
        r#"(component
        (core module $m
            (memory (export "memory") 17)
            (data (i32.const 16) "{data}")
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1048576))
            (func (export "describe") (result i32) {describe})
            (func (export "call") (param i32 i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m))
        (type $spec {SPEC})
        (type $error {ERROR})
        (func $describe (result (list $spec)) (canon lift (core func $i "describe") {canon}))
        (func $call {outer} (canon lift (core func $i "call") {canon}))
        (component $shim
            (type $spec_is {SPEC})
            (import "tool-spec" (type $s (eq $spec_is)))
            (type $error_is {ERROR})
            (import "tool-error" (type $e (eq $error_is)))
            (import "describe" (func $d (result (list $s))))
            (import "call" (func $c {inner}))
            (export $s2 "tool-spec" (type $s))
            (export $e2 "tool-error" (type $e))
            (export "describe" (func $d) (func (result (list $s2))))
            (export "call" (func $c) (func {outward})))
        (instance $g (instantiate $shim
            (with "tool-spec" (type $spec)) (with "tool-error" (type $error))
            (with "describe" (func $describe)) (with "call" (func $call))))
        (export "{export}" (instance $g)))"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// The name of the interface that tools export.
pub const GUEST: &str = "mneme:tool/guest@0.1.0";

/// A component that describes tools: names with parameters.
pub fn describing(tools: &[(&str, &str)]) -> Vec<u8> {
    let (mut list, mut texts) = (Vec::new(), Vec::new());
    let texts_at = LIST + tools.len() * ITEM;
    let mut point = |text: &str, list: &mut Vec<u8>| {
        list.extend_from_slice(&((texts_at + texts.len()) as u32).to_le_bytes());
        list.extend_from_slice(&(text.len() as u32).to_le_bytes());
        texts.extend_from_slice(text.as_bytes());
    };
    for (name, parameters) in tools {
        for text in [*name, "Does it.", *parameters] {
            point(text, &mut list);
        }
        // No capabilities.
        list.extend_from_slice(&[0; 8]);
    }
    component("(i32.const 16)", &[header(tools.len() as u32), list, texts].concat(), GUEST)
}

/// Where a list is and how long, padded to where the list begins.
pub fn header(length: u32) -> Vec<u8> {
    [(LIST as u32).to_le_bytes(), length.to_le_bytes(), [0; 4], [0; 4]].concat()
}
