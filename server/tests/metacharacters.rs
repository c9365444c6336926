//! What means something to a database, a path or a header means nothing here: it is a text like any other.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{TestApp, request};
use serde_json::{Value, json};

const HOSTILE: [&str; 14] = [
    "'",
    "''; DROP TABLE agents; --",
    "' OR '1'='1",
    "\" OR \"\"=\"",
    "%",
    "_",
    "\\",
    "$1",
    "?1; :a @b",
    "NEAR(a b) AND c*",
    "a & !b | (c <-> d:*)",
    "\u{202e}\u{e9}e\u{301}\u{1f600}",
    "../../../../etc/passwd",
    "{\"$ne\": null}",
];

/// A text as part of a path or a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn every_parameter_of_every_list_takes_every_text() {
    let app = TestApp::new().await;
    app.post("/v1/blocks/", &json!({ "label": "human", "value": "v" })).await;
    let document = app.get("/openapi.json").await.json();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = ["agent", "block", "tool", "message", "run", "step"].iter().fold(path.clone(), |path, kind| {
            path.replace(&format!("{{{kind}_id}}"), &format!("{kind}-00000000-0000-4000-8000-000000000000"))
        });
        let path = path.replace("{block_label}", &encoded("' OR 1=1; --"));
        for parameter in item["get"]["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            for text in HOSTILE {
                let answer = app.get(&format!("{path}?{name}={}", encoded(text))).await;
                let status = answer.status.as_u16();
                assert!(matches!(status, 200 | 400 | 404 | 422), "{status} for {path} {name}={text}: {}", answer.text);
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "only {tried} requests");
    let left = app.get("/v1/blocks/count").await;
    assert_eq!(left.json(), json!(1), "nothing is gone");
}

#[tokio::test]
async fn a_filter_finds_what_it_says_and_nothing_else() {
    let app = TestApp::new().await;
    // Angle brackets would end the label's tag in a prompt, so a label has none.
    let texts: Vec<&str> = HOSTILE.into_iter().filter(|text| !text.contains(['<', '>'])).collect();
    for text in &texts {
        let made = app.post("/v1/blocks/", &json!({ "label": text, "value": text, "description": text })).await;
        assert_eq!(made.status.as_u16(), 200, "{text}: {}", made.text);
    }
    for text in &texts {
        for (filter, exact) in [("label", true), ("label_search", false), ("value_search", false)] {
            let answer = app.get(&format!("/v1/blocks/?limit=100&{filter}={}", encoded(text))).await;
            let mut found: Vec<String> = answer.json().as_array().unwrap().iter().map(label).collect();
            let matches = |label: &&&str| if exact { *label == text } else { label.contains(text) };
            let mut expected: Vec<&str> = texts.iter().filter(matches).copied().collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{filter}={text}");
        }
    }
}

fn label(block: &Value) -> String {
    block["label"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_identifier_is_an_identifier_or_refused() {
    let app = TestApp::new().await;
    for text in HOSTILE {
        for path in ["agents", "blocks", "tools", "runs", "steps"] {
            let answer = app.get(&format!("/v1/{path}/{}", encoded(text))).await;
            assert_eq!(answer.status.as_u16(), 422, "{path}/{text}: {}", answer.text);
            assert!(!answer.text.contains("sql"), "{}", answer.text);
        }
        let search = json!({ "query": text, "limit": 5 });
        let found = app.post("/v1/agents/messages/search", &search).await;
        assert_eq!((found.status.as_u16(), found.text.as_str()), (200, "[]"), "{text}");
    }
}

#[tokio::test]
async fn a_clients_headers_are_not_believed() {
    let app = TestApp::new().await;
    for value in [&b"' OR 1=1"[..], b"\xff\xfe", b"a b", b"<script>", &[b'x'; 4000]] {
        for name in
            ["x-request-id", "user-agent", "accept", "x-stainless-package-version", "x-project", "authorization"]
        {
            let call = request(Method::GET, "/v1/blocks/").header(name, value).body(Body::empty()).unwrap();
            let answer = app.send(call).await;
            assert_eq!(answer.status.as_u16(), 200, "{name}: {}", answer.text);
            let id = answer.header("x-request-id").unwrap();
            assert!(id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        }
    }
}
