//! Malformed requests: what is refused, and that the refusal says where the fault is.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use axum::{body::Body, http::Method};
use common::{NOBODY, TestApp, request};
use serde_json::{Value, json};

#[tokio::test]
async fn refusals_carry_the_list_of_faults_as_text() {
    let app = TestApp::new().await;
    let table: [(&str, &str, &str); 9] = [
        ("/v1/agents/", "", "[{'type': 'missing', 'loc': ('body',), 'msg': 'Field required', 'input': None}]"),
        (
            "/v1/blocks/",
            r#"{"value": "x"}"#,
            "[{'type': 'missing', 'loc': ('body', 'label'), 'msg': 'Field required', 'input': {'value': 'x'}}]",
        ),
        (
            "/v1/agents/",
            r#"{"agent_type": "zzz"}"#,
            "[{'type': 'enum', 'loc': ('body', 'agent_type'), 'msg': \"Input should be 'memgpt_agent', \
             'memgpt_v2_agent', 'letta_v1_agent', 'react_agent', 'workflow_agent', 'split_thread_agent', \
             'sleeptime_agent', 'voice_convo_agent' or 'voice_sleeptime_agent'\", 'input': 'zzz', 'ctx': {'expected': \
             \"'memgpt_agent', 'memgpt_v2_agent', 'letta_v1_agent', 'react_agent', 'workflow_agent', \
             'split_thread_agent', 'sleeptime_agent', 'voice_convo_agent' or 'voice_sleeptime_agent'\"}}]",
        ),
        (
            "/v1/agents/",
            r#"{"memory_blocks": [{"label": "a", "value": "b"}, {"label": "c", "value": 7}]}"#,
            "[{'type': 'string_type', 'loc': ('body', 'memory_blocks', 1, 'value'), 'msg': 'Input should be a valid \
             string', 'input': 7}]",
        ),
        (
            "/v1/agents/",
            r#"{"tags": "one"}"#,
            "[{'type': 'list_type', 'loc': ('body', 'tags'), 'msg': 'Input should be a valid list', 'input': 'one'}]",
        ),
        (
            "/v1/agents/",
            r#"{"hidden": "no"}"#,
            "[{'type': 'bool_type', 'loc': ('body', 'hidden'), 'msg': 'Input should be a valid boolean', 'input': 'no'}]",
        ),
        (
            "/v1/agents/",
            r#"{"context_window_limit": 1.5}"#,
            "[{'type': 'int_type', 'loc': ('body', 'context_window_limit'), 'msg': 'Input should be a valid integer', \
             'input': 1.5}]",
        ),
        (
            "/v1/agents/",
            r#"["x"]"#,
            "[{'type': 'model_attributes_type', 'loc': ('body',), 'msg': 'Input should be a valid dictionary or object \
             to extract fields from', 'input': ['x']}]",
        ),
        (
            "/v1/agents/",
            r#"{"model": }"#,
            "[{'type': 'json_invalid', 'loc': ('body', 10), 'msg': 'JSON decode error', 'input': {}, 'ctx': {'error': \
             'expected value'}}]",
        ),
    ];
    for (path, body, expected) in table {
        let answer = app.post_text(path, body.to_owned()).await;
        assert_eq!(answer.status.as_u16(), 422, "{body}: {}", answer.text);
        assert_eq!(answer.json(), json!({ "trace_id": "", "detail": expected }), "{body}");
    }
}

#[tokio::test]
async fn a_turn_needs_something_to_say() {
    let app = TestApp::new().await;
    for path in ["messages", "messages/stream", "messages/preview-raw-payload"] {
        let answer = app.post(&format!("/v1/agents/{NOBODY}/{path}"), &json!({})).await;
        let expected = "[{'type': 'missing', 'loc': ('body', 'messages'), 'msg': 'Field required', 'input': {}}]";
        assert_eq!((answer.status.as_u16(), answer.detail().as_str()), (422, expected), "{path}");
    }
}

#[tokio::test]
async fn other_content_types_are_no_json() {
    let app = TestApp::new().await;
    let post = |kind: &'static str| {
        request(Method::POST, "/v1/blocks/")
            .header("content-type", kind)
            .body(Body::from(r#"{"label":"a","value":"b"}"#))
    };
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
        let answer = app.send(post(kind).unwrap()).await;
        assert_eq!(answer.status.as_u16(), 422, "{kind}");
        assert!(answer.detail().contains("model_attributes_type"), "{kind}: {}", answer.text);
    }
    for kind in
        ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/merge-patch+json"]
    {
        assert_eq!(app.send(post(kind).unwrap()).await.status.as_u16(), 200, "{kind}");
    }
    let unnamed = request(Method::POST, "/v1/blocks/").body(Body::from(r#"{"label":"a","value":"b"}"#)).unwrap();
    assert_eq!(app.send(unnamed).await.status.as_u16(), 200);
}

#[tokio::test]
async fn bodies_are_bounded_in_size() {
    let app = TestApp::with(|config| config.max_body_bytes = 4096).await;
    let body = |length: usize| {
        let frame = json!({ "label": "a", "value": "" }).to_string().len();
        json!({ "label": "a", "value": "x".repeat(length - frame) })
    };
    assert_eq!(app.post("/v1/blocks/", &body(4096)).await.status.as_u16(), 200);
    let refused = app.post("/v1/blocks/", &body(4097)).await;
    assert_eq!((refused.status.as_u16(), refused.detail().as_str()), (413, "The body is larger than 4096 bytes"));

    // A length that is announced is believed before anything is read; one that is not is counted.
    let announced = request(Method::POST, "/v1/blocks/").header("content-length", "100000000000").body(Body::empty());
    assert_eq!(app.send(announced.unwrap()).await.status.as_u16(), 413);
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(bytes::Bytes::from_static(&[b' '; 1024])));
    let chunked = request(Method::POST, "/v1/blocks/").body(Body::from_stream(endless));
    assert_eq!(app.send(chunked.unwrap()).await.status.as_u16(), 413);
}

#[tokio::test]
async fn bodies_are_bounded_in_depth_and_values() {
    let app = TestApp::new().await;
    let deep =
        format!(r#"{{"label":"a","value":"b","metadata":{{"x":{}1{}}}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let answer = app.post_text("/v1/blocks/", deep).await;
    assert_eq!((answer.status.as_u16(), answer.detail().contains("nests deeper than 128 levels")), (422, true));

    let keys: Vec<String> = (0..600_000).map(|key| format!("\"{key:x}\":0")).collect();
    let wide = format!(r#"{{"label":"a","value":"b","metadata":{{{}}}}}"#, keys.join(","));
    let answer = app.post_text("/v1/blocks/", wide).await;
    assert_eq!((answer.status.as_u16(), answer.detail().contains("more than 500000 values")), (422, true));
}

#[tokio::test]
async fn nul_is_refused_wherever_it_stands() {
    let app = TestApp::new().await;
    for body in [
        r#"{"label":"a\u0000","value":"b"}"#,
        r#"{"label":"a","value":"b\u0000"}"#,
        r#"{"label":"a","value":"b","metadata":{"k":["x",{"y":"\u0000"}]}}"#,
        r#"{"label":"a","value":"b","metadata":{"k\u0000":1}}"#,
        r#"{"label":"a","value":"b","unknown":"\u0000"}"#,
    ] {
        let answer = app.post_text("/v1/blocks/", body).await;
        assert_eq!(answer.status.as_u16(), 422, "{body}");
        assert!(answer.detail().contains("NUL"), "{body}: {}", answer.text);
    }
    let place =
        app.post_text("/v1/blocks/", r#"{"label":"a","value":"b","metadata":{"k":["x",{"y":"\u0000"}]}}"#).await;
    assert!(place.detail().contains("('body', 'metadata', 'k', 1, 'y')"), "{}", place.text);
    // A backslash before the escape makes it plain text.
    assert_eq!(app.post_text("/v1/blocks/", r#"{"label":"a","value":"\\u0000"}"#).await.status.as_u16(), 200);
    for path in ["/v1/blocks/?label=%00", "/v1/tags/?name=a%00b", "/v1/agents/?after=%00"] {
        assert_eq!(app.get(path).await.status.as_u16(), 422, "{path}");
    }
    let label = app.get(&format!("/v1/agents/{NOBODY}/core-memory/blocks/%00")).await;
    assert_eq!(label.status.as_u16(), 422, "{}", label.text);
}

#[tokio::test]
async fn broken_texts_are_refused_and_odd_ones_kept() {
    let app = TestApp::new().await;
    for body in [
        &br#"{"label":"a","value":"\ud800"}"#[..],
        b"{\"label\":\"a\",\"value\":\"\xff\"}",
        b"{\"label\":\"a\",\"value\":\"\x00\"}",
    ] {
        let answer = app.post_text("/v1/blocks/", body.to_vec()).await;
        assert_eq!(answer.status.as_u16(), 422, "{body:?}: {}", answer.text);
        assert!(answer.detail().contains("json_invalid"), "{}", answer.text);
    }
    for text in ["\u{202e}evil", "e\u{301} \u{e9}", "\u{1f600}\u{10ffff}", "' OR 1=1 --", "%_\\", "\u{feff}"] {
        let made = app.post("/v1/blocks/", &json!({ "label": "odd", "value": text })).await;
        assert_eq!(made.json()["value"], text);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        assert_eq!(app.get(&format!("/v1/blocks/{id}")).await.json()["value"], text);
    }
}

#[tokio::test]
async fn of_equal_keys_the_last_counts_and_unknown_ones_do_not() {
    let app = TestApp::new().await;
    let body = r#"{"label":"first","label":"last","value":"v","client_tools":[1]}"#;
    let answer = app.post_text("/v1/blocks/", body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["label"]), (200, &Value::from("last")));
}

#[tokio::test]
async fn refusals_repeat_only_a_little_of_the_body() {
    let app = TestApp::new().await;
    let answer = app.post("/v1/blocks/", &json!({ "value": "x".repeat(100_000) })).await;
    assert!(answer.status == 422 && answer.text.len() < 1000, "{} bytes", answer.text.len());
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up_and_holds_its_place_until_then() {
    let app = TestApp::with(|config| (config.body_timeout_seconds, config.max_requests) = (1, 1)).await;
    let (read, reached) = tokio::sync::oneshot::channel();
    let mut read = Some(read);
    // The first look at the body tells that the request is being worked on; then nothing ever comes.
    let silent = futures::stream::poll_fn(move |_| {
        if let Some(read) = read.take() {
            let _ = read.send(());
        }
        std::task::Poll::<Option<Result<bytes::Bytes, std::io::Error>>>::Pending
    });
    let slow = app.send(request(Method::POST, "/v1/blocks/").body(Body::from_stream(silent)).unwrap());
    let other = async {
        reached.await.unwrap();
        app.get("/v1/health/").await
    };
    let (slow, other) = tokio::join!(slow, other);
    assert_eq!((slow.status.as_u16(), slow.detail().as_str()), (408, "The body did not arrive in time"));
    assert_eq!((other.status.as_u16(), other.header("retry-after")), (503, Some("1")), "{}", other.text);
    assert_eq!(app.get("/v1/health/").await.status.as_u16(), 200, "the place is free again");
}
