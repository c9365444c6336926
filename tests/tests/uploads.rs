//! Tools as compiled code: what is taken, how it runs, and everything that must not be taken.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "uploads/form.rs"]
mod form;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use form::{GUEST, built, component, describing, header, send, upload};
use mneme_tests::{Postgres, Provider, Reply, Server};
use serde_json::{Value, json};

const OBJECT: &str = r#"{"type": "object", "properties": {}}"#;
const COUPON: &str = "examples/tools/dist/coupon.wasm";
const LICENCE: &str = "examples/tools/dist/licence.wasm";

async fn create_agent(server: &Server, name: &str, tools: &[&Value], secrets: Value) -> String {
    let body = json!({
        "name": name, "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini",
        "embedding": "openai/text-embedding-3-small", "tool_ids": tools,
        "memory_blocks": [{"label": "human", "value": "Likes tea."}],
        "tool_exec_environment_variables": secrets,
    });
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    agent["id"].as_str().unwrap().to_owned()
}

/// Has the model call a tool; the call's return message.
async fn called(server: &Server, provider: &Provider, agent: &str, name: &str, arguments: Value) -> Value {
    provider.reply(Reply::tool_call(name, arguments)).reply(Reply::text("done"));
    let message = json!({ "messages": [{ "role": "user", "content": "go" }] });
    let (status, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &message).await;
    assert_eq!(status, 200, "{answer}");
    let messages = answer["messages"].as_array().unwrap();
    messages.iter().find(|message| message["message_type"] == "tool_return_message").unwrap().clone()
}

async fn both_databases() -> [(Provider, Server); 2] {
    let on_sqlite = Provider::start().await;
    let sqlite = Server::start(&on_sqlite).await;
    let on_postgres = Provider::start().await;
    let url = Postgres::shared().create_database();
    let postgres = Server::builder().provider(&on_postgres).database_url(&url).start().await;
    [(on_sqlite, sqlite), (on_postgres, postgres)]
}

#[tokio::test]
async fn tools_in_four_languages_use_the_secrets_of_their_agent() {
    for (provider, server) in both_databases().await {
        let (status, coupons) = upload(&server, &[("tags", "shop"), ("tags", "rust")], &built(COUPON)).await;
        assert_eq!(status, 200, "{coupons}");
        let names: Vec<&Value> = coupons.as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
        assert_eq!(names, ["make_coupon", "check_coupon"]);
        let [make, check] = [&coupons[0], &coupons[1]];
        assert_eq!(
            (&make["tool_type"], &make["source_type"], &make["source_code"], &make["tags"]),
            (&json!("custom"), &json!("wasm"), &Value::Null, &json!(["shop", "rust"]))
        );
        assert_eq!(make["json_schema"]["parameters"]["required"], json!(["customer", "percent"]), "{make}");

        let policy = r#"{"env": ["LICENCE_SECRET"]}"#;
        let (status, licence) = upload(&server, &[("kind", "extism"), ("policy", policy)], &built(LICENCE)).await;
        assert_eq!((status, &licence[0]["name"]), (200, &json!("licence_key")), "{licence}");
        assert_eq!(licence[0]["source_type"], "extism");

        let python = String::from_utf8(built("examples/tools/signature.py")).unwrap();
        let (_, sign) = server.post("/v1/tools/", &json!({ "source_code": python })).await;
        let script = String::from_utf8(built("examples/tools/weather.ts")).unwrap();
        let (_, weather) =
            server.post("/v1/tools/", &json!({ "source_code": script, "source_type": "typescript" })).await;

        let ids = [&make["id"], &check["id"], &licence[0]["id"], &sign["id"], &weather["id"]];
        let secrets = |word: &str| json!({ "COUPON_KEY": word, "LICENCE_SECRET": word, "SIGNING_KEY": word, "WEATHER_API_KEY": word });
        let one = create_agent(&server, "one", &ids, secrets("canary-one")).await;
        let two = create_agent(&server, "two", &ids, secrets("canary-two")).await;
        let mut differ = 0;
        for (name, arguments) in [
            ("make_coupon", json!({ "customer": "Ada", "percent": 20 })),
            ("licence_key", json!({ "product": "Engine", "seats": 3 })),
            ("sign", json!({ "payload": "x" })),
            ("weather", json!({ "city": "Rome" })),
        ] {
            let first = called(&server, &provider, &one, name, arguments.clone()).await;
            let second = called(&server, &provider, &two, name, arguments).await;
            assert_eq!(
                (&first["status"], &second["status"]),
                (&json!("success"), &json!("success")),
                "{first} {second}"
            );
            differ += usize::from(first["tool_return"] != second["tool_return"]);
        }
        assert_eq!(differ, 3, "all but the weather depend on the agent's secret");

        let made = called(&server, &provider, &one, "make_coupon", json!({ "customer": "Ada", "percent": 20 })).await;
        let code = made["tool_return"].clone();
        let check = async |agent: &str| {
            called(&server, &provider, agent, "check_coupon", json!({ "customer": "Ada", "code": code })).await
        };
        assert_eq!(check(&one).await["tool_return"], "valid: 20 %");
        assert_eq!(check(&two).await["tool_return"], "invalid");
        let refused =
            called(&server, &provider, &one, "make_coupon", json!({ "customer": "Ada", "percent": 99 })).await;
        assert_eq!(
            (&refused["status"], &refused["tool_return"]),
            (&json!("error"), &json!("percent must be between 1 and 50"))
        );
        let refused = called(&server, &provider, &one, "licence_key", json!({ "product": "Engine", "seats": 0 })).await;
        assert_eq!(
            (&refused["status"], &refused["tool_return"]),
            (&json!("error"), &json!("seats must be between 1 and 1000"))
        );
        assert!(!server.log().contains("canary"), "{}", server.log());
    }
}

#[tokio::test]
async fn an_uploaded_tool_is_a_tool_like_any_other() {
    for (provider, mut server) in both_databases().await {
        let (_, tools) = upload(&server, &[], &built(COUPON)).await;
        let id = tools[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/tools/{id}");
        assert_eq!(server.get(&path).await, (200, tools[0].clone()));
        let (_, listed) = server.get("/v1/tools/?tool_types=custom").await;
        assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");

        let (_, policy) = server.get(&format!("{path}/policy")).await;
        assert_eq!((&policy["kind"], &policy["effective"]["env"]), (&json!("component"), &json!("all")));
        let put = server.http().put(format!("{}{path}/policy", server.url())).json(&json!({ "env": [] }));
        assert_eq!(put.send().await.unwrap().status(), 200);
        let agent = create_agent(&server, "a", &[&tools[0]["id"], &tools[1]["id"]], json!({ "COUPON_KEY": "k" })).await;
        let arguments = json!({ "customer": "Ada", "percent": 5 });
        let answer = called(&server, &provider, &agent, "make_coupon", arguments.clone()).await;
        assert!(answer["status"] == "error" && answer["tool_return"].to_string().contains("COUPON_KEY"), "{answer}");
        assert_eq!(
            called(&server, &provider, &agent, "check_coupon", json!({ "customer": "Ada", "code": "5-x" })).await["status"],
            "success"
        );

        // The same names are the same tools, and a policy that the upload does not name stays.
        let (_, again) =
            upload(&server, &[("policy", "{}"), ("default_requires_approval", "false")], &built(COUPON)).await;
        assert_eq!((&again[0]["id"], &again[0]["default_requires_approval"]), (&tools[0]["id"], &json!(false)));
        server.restart().await;
        assert_eq!(called(&server, &provider, &agent, "make_coupon", arguments.clone()).await["status"], "success");

        for body in [
            json!({ "source_code": "def f(): pass" }),
            json!({ "json_schema": { "name": "other" } }),
            json!({ "source_type": "python" }),
        ] {
            let (status, refused) = server.patch(&path, &body).await;
            assert!(status == 400 && refused["detail"].to_string().contains("next upload"), "{body}: {refused}");
        }
        let (status, changed) = server.patch(&path, &json!({ "tags": ["x"], "description": "Makes one." })).await;
        assert_eq!((status, &changed["json_schema"]["description"]), (200, &json!("Makes one.")));

        // Source takes the name over, and its code with it.
        let source = "def make_coupon(customer: str, percent: int) -> str:\n    \"\"\"Makes.\n\n    Args:\n        customer: Who\n        percent: How much\n    \"\"\"\n    return 'from source'\n";
        let (_, source) = server.post("/v1/tools/", &json!({ "source_code": source })).await;
        assert_eq!((&source["id"], &source["source_type"]), (&tools[0]["id"], &json!("python")));
        assert_eq!(called(&server, &provider, &agent, "make_coupon", arguments).await["tool_return"], "from source");
        let other = format!("/v1/tools/{}", tools[1]["id"].as_str().unwrap());
        assert_eq!(server.delete(&other).await.0, 200);
        assert_eq!(server.get(&other).await.0, 404);
        let (status, _) =
            server.patch(&path, &json!({ "source_type": "wasm", "json_schema": source["json_schema"] })).await;
        assert_eq!(status, 422, "only an upload makes compiled code");
    }
}

/// Hostile bytes and what the refusal has to say.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let wat = |text: &str| wat::parse_str(text).unwrap();
    let whole = built("builtin-tools/dist/test/hostile.wasm");
    let mut scrambled = whole.clone();
    scrambled.iter_mut().skip(100).step_by(97).for_each(|byte| *byte ^= 0x55);
    let import = |name: &str| wat(&format!(r#"(component (import "{name}" (instance (export "run" (func)))))"#));
    vec![
        ("no bytes", Vec::new(), "there are no bytes"),
        (
            "random bytes",
            (0..10_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
            "first bytes are not",
        ),
        ("an executable", b"\x7fELF\x02\x01\x01\0".repeat(100), "native code, which is never accepted"),
        ("a core module", wat("(module)"), "core module; build the tool for wasm32-wasip2"),
        ("a text", b"(component)".to_vec(), "WebAssembly text"),
        ("a truncated component", whole[..whole.len() / 2].to_vec(), "cannot be compiled"),
        ("a scrambled component", scrambled, "cannot be compiled"),
        ("an empty component", wat("(component)"), "does not export `mneme:tool/guest@0.1.0`"),
        ("an unknown import", import("evil:host/shell"), "imports `evil:host/shell`, which the host does not offer"),
        ("a newer interface", component("unreachable", &[], "mneme:tool/guest@7.0.0"), "built for version 7.0.0"),
        ("a describe that loops", component("(loop $x (br $x)) unreachable", &[], GUEST), "computing time"),
        ("a describe that traps", component("unreachable", &[], GUEST), "crashed"),
        ("10,000 tools", component("(i32.const 16)", &header(10_000), GUEST), "10000 tools; a component has 1 to 64"),
        ("no tools", component("(i32.const 16)", &header(0), GUEST), "0 tools"),
        ("a list outside of memory", component("(i32.const 16)", &[0xff; 8], GUEST), "describes its tools wrongly"),
        ("duplicate names", describing(&[("twice", OBJECT), ("twice", OBJECT)]), "two tools are called twice"),
        ("a bad name", describing(&[("no name", OBJECT)]), "is no tool name"),
        ("a schema that is none", describing(&[("fine", OBJECT), ("bad", "{")]), "the parameters of bad are not JSON"),
        ("a schema of a text", describing(&[("bad", r#"{"type": "string"}"#)]), "not a JSON Schema of type"),
    ]
}

#[tokio::test]
async fn what_is_no_tool_is_refused_with_the_reason_and_leaves_nothing() {
    let server = Server::builder().start().await;
    let (status, made) = upload(&server, &[], &describing(&[("mine", OBJECT), ("too", OBJECT)])).await;
    assert_eq!(status, 200, "the fixture itself is a tool: {made}");
    assert_eq!(made.as_array().unwrap().len(), 2);
    let (_, before) = server.get("/v1/tools/").await;
    for (what, bytes, hint) in hostile() {
        let start = Instant::now();
        let (status, answer) = upload(&server, &[], &bytes).await;
        assert!(status == 422 && answer["detail"].to_string().contains(hint), "{what}: {status} {answer}");
        assert!(start.elapsed() < Duration::from_secs(20), "{what} took {:?}", start.elapsed());
    }
    let taken = describing(&[("new", OBJECT), ("send_message", OBJECT)]);
    let (status, answer) = upload(&server, &[], &taken).await;
    assert!(status == 409 && answer["detail"].to_string().contains("send_message"), "{answer}");
    assert_eq!(server.get("/v1/tools/").await.1, before, "nothing came of any of them");
    assert_eq!(server.get("/v1/health/").await.0, 200);
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_refused() {
    let server = Server::builder().start().await;
    let fine = describing(&[("mine", OBJECT)]);
    for (texts, hint) in [
        (&[("kind", "elf")][..], "component or extism"),
        (&[("policy", "{")], "must be JSON"),
        (&[("policy", r#"{"memory": 1}"#)], "unknown field `memory`"),
        (&[("policy", "{}"), ("policy", "{}")], "must be there once"),
        (&[("default_requires_approval", "maybe")], "true or false"),
        (&[("functions", "[]")], "describes its tools itself"),
        (&[("polcy", "{}")], "no such field"),
        (&[("tags", "a\0b")], "NUL"),
    ] {
        let (status, answer) = upload(&server, texts, &fine).await;
        assert!(status == 422 && answer["detail"].to_string().contains(hint), "{texts:?}: {answer}");
    }
    let (status, _) = server.post("/v1/tools/components", &json!({ "file": "x" })).await;
    assert_eq!(status, 422, "JSON is no form");
    let empty = send(&server, format!("{}\r\n", &form::file_head()[..20])).await.unwrap();
    assert_eq!(empty.status(), 422);
}

#[tokio::test]
async fn plugins_that_mean_harm_are_refused_or_stopped() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let wat = |text: &str| wat::parse_str(text).unwrap();
    let function = r#"[{"name": "f", "description": "Does it."}]"#;
    for (text, functions, hint) in [
        ("(component)", function, "this is a component"),
        (r#"(module (import "env" "system" (func)) (func (export "f")))"#, function, "`env::system`"),
        (r#"(module (func (export "g")))"#, function, "exports no function `f`; it exports g"),
        (r#"(module (table 10 funcref) (func (export "f")))"#, function, "without an end"),
        (r#"(module (func (export "f")))"#, "{}", "not a list"),
        (r#"(module (func (export "f")))"#, r#"[{"name": "f"}, {"name": "f"}]"#, "two tools are called f"),
        (r#"(module (func (export "f")))"#, r#"[{"name": "f", "code": 1}]"#, "unknown field"),
    ] {
        let (status, answer) = upload(&server, &[("kind", "extism"), ("functions", functions)], &wat(text)).await;
        assert!(status == 422 && answer["detail"].to_string().contains(hint), "{text}: {answer}");
    }
    let silent = wat(r#"(module (func (export "f")))"#);
    let (status, answer) = upload(&server, &[("kind", "extism")], &silent).await;
    assert!(status == 422 && answer["detail"].to_string().contains("describe"), "{answer}");
    let endless = wat(r#"(module (func (export "describe") (loop $x (br $x))))"#);
    let (status, answer) = upload(&server, &[("kind", "extism")], &endless).await;
    assert!(status == 422 && answer["detail"].to_string().contains("computing time"), "{answer}");

    let looping = wat(r#"(module (func (export "f") (loop $x (br $x))))"#);
    let texts = [("kind", "extism"), ("functions", function), ("policy", r#"{"cpu_ms": 200}"#)];
    let (status, made) = upload(&server, &texts, &looping).await;
    assert_eq!(status, 200, "{made}");
    let agent = create_agent(&server, "a", &[&made[0]["id"]], json!({})).await;
    let answer = called(&server, &provider, &agent, "f", json!({})).await;
    assert!(answer["status"] == "error" && answer["tool_return"].to_string().contains("computing time"), "{answer}");
}

/// A plugin whose function `look` sends one request and gives the answer's body.
fn looking(url: &str) -> Vec<u8> {
    let request = json!({ "url": url }).to_string();
    let data: String = request.bytes().map(|byte| format!("\\{byte:02x}")).collect();
    let length = request.len();
    let text = format!(
        r#"(module
        (import "extism:host/env" "alloc" (func $alloc (param i64) (result i64)))
        (import "extism:host/env" "length" (func $length (param i64) (result i64)))
        (import "extism:host/env" "store_u8" (func $store (param i64 i32)))
        (import "extism:host/env" "output_set" (func $output (param i64 i64)))
        (import "extism:host/env" "http_request" (func $http (param i64 i64) (result i64)))
        (memory 1)
        (data (i32.const 0) "{data}")
        (func (export "look") (result i32) (local $at i64) (local $i i32)
            (local.set $at (call $alloc (i64.const {length})))
            (loop $next
                (call $store (i64.add (local.get $at) (i64.extend_i32_u (local.get $i))) (i32.load8_u (local.get $i)))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $i) (i32.const {length}))))
            (local.set $at (call $http (local.get $at) (i64.const 0)))
            (call $output (local.get $at) (call $length (local.get $at)))
            (i32.const 0)))"#
    );
    wat::parse_str(text).unwrap()
}

#[tokio::test]
async fn a_plugin_reaches_what_its_policy_names_and_nothing_else() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let url = format!("{}/models", provider.base_url());
    let host = url.split('/').nth(2).unwrap().to_owned();
    let functions = ("functions", r#"[{"name": "look", "description": "Looks."}]"#);
    let (status, made) = upload(&server, &[("kind", "extism"), functions], &looking(&url)).await;
    assert_eq!(status, 200, "{made}");
    let agent = create_agent(&server, "a", &[&made[0]["id"]], json!({})).await;
    let denied = called(&server, &provider, &agent, "look", json!({})).await;
    assert!(
        denied["status"] == "error" && denied["tool_return"].to_string().contains("does not have this host"),
        "{denied}"
    );

    let policy = json!({ "network": { "allow": [host] } }).to_string();
    let (status, _) = upload(&server, &[("kind", "extism"), functions, ("policy", &policy)], &looking(&url)).await;
    assert_eq!(status, 200);
    let seen = called(&server, &provider, &agent, "look", json!({})).await;
    assert!(seen["status"] == "success" && seen["tool_return"].to_string().contains("gpt-4o-mini"), "{seen}");

    // An address inside stays out of reach, whatever the tool's policy says.
    let inside = looking("http://169.254.169.254/latest");
    let policy = r#"{"network": {"allow": "public"}}"#;
    upload(&server, &[("kind", "extism"), functions, ("policy", policy)], &inside).await;
    let denied = called(&server, &provider, &agent, "look", json!({})).await;
    assert!(denied["status"] == "error" && denied["tool_return"].to_string().contains("not public"), "{denied}");
}

/// What the server does not read it cannot be asked to hold.
#[tokio::test]
async fn two_hundred_megabytes_are_refused_without_being_read() {
    const WHOLE: usize = 200 << 20;
    let server = Server::builder().start().await;
    let announced = server.http().post(format!("{}/v1/tools/components", server.url()));
    let announced = announced.header("content-type", form::content_type()).body(vec![0; WHOLE]).send().await;
    if let Ok(answer) = announced {
        assert_eq!(answer.status(), 413);
    }

    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let piece = bytes::Bytes::from(vec![0_u8; 1 << 20]);
    let head = futures::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(form::file_head()))]);
    let pieces = futures::stream::iter((0..200).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(piece.clone())
    }));
    let body = reqwest::Body::wrap_stream(futures::StreamExt::chain(head, pieces));
    // The server may hang up before the client has read the answer.
    if let Ok(answer) = send(&server, body).await {
        assert_eq!(answer.status(), 413);
    }
    let megabytes = sent.load(Ordering::Relaxed);
    assert!((60..110).contains(&megabytes), "{megabytes} MB of 200 were sent");
    assert_eq!(server.get("/v1/health/").await.0, 200);
}
