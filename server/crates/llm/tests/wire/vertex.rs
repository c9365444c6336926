//! Gemini and Claude at Google Cloud: tokens of service accounts, users and machines.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures::TryStreamExt;
use mneme_llm::{Delta, Extras, FinishReason, ModelKind, Provider, ProviderKind};
use serde_json::{Value, json};

use crate::{
    client, say,
    server::{Answer, Server},
    text, typed_events,
};

/// Made for these tests; it opens nothing.
const KEY: &str = include_str!("service_account_key.pem");

fn hello() -> Answer {
    Answer::json(200, &json!({"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]}))
}

fn token(text: &str) -> Answer {
    Answer::json(200, &json!({"access_token": text, "expires_in": 3600, "token_type": "Bearer"}))
}

fn vertex(server: &Server, file: Option<Value>) -> Provider {
    let host = server.url.trim_start_matches("http://").to_owned();
    let extras = Extras { region: Some("europe-west4".into()), metadata_host: Some(host), ..Extras::default() };
    let key = file.map(|file| file.to_string().into());
    Provider::new("google_vertex", ProviderKind::Vertex, server.url.parse().expect("url"), key).with(extras)
}

fn account(server: &Server) -> Value {
    json!({"type": "service_account", "project_id": "mine", "client_email": "robot@mine.example",
        "private_key": KEY, "token_uri": format!("{}/token", server.url)})
}

#[tokio::test]
async fn a_service_account_gets_one_token_for_many_calls() {
    let server = Server::start(vec![token("ya29.first"), hello(), hello()]).await;
    let provider = vertex(&server, Some(account(&server)));
    assert_eq!(provider.validate(), Ok(()));
    let client = client();
    for _ in 0..2 {
        let done = client.complete(&provider, &say("gemini-2.5-flash", "hi")).await.expect("an answer");
        assert_eq!(done.text.as_deref(), Some("hello"));
    }
    let seen = server.seen();
    assert_eq!(seen[0].line, "POST /token HTTP/1.1");
    let call = "POST /v1/projects/mine/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent HTTP/1.1";
    assert_eq!((seen[1].line.as_str(), seen[2].line.as_str()), (call, call));
    assert!(seen[1].headers.contains("authorization: bearer ya29.first"));
    let form: String = seen[0].text.clone();
    let assertion = form.split('&').find_map(|pair| pair.strip_prefix("assertion=")).expect("an assertion");
    let parts: Vec<&str> = assertion.split('.').collect();
    let read =
        |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("json") };
    assert_eq!(read(parts[0]), json!({"alg": "RS256", "typ": "JWT"}));
    let claims = read(parts[1]);
    assert_eq!(claims["iss"], "robot@mine.example");
    assert_eq!(claims["aud"], format!("{}/token", server.url));
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|at| at + 3600));
    assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).expect("base64").len(), 256, "a signature of 2048 bits");
}

#[tokio::test]
async fn a_machine_asks_its_metadata_and_a_tenant_may_not() {
    let server = Server::start(vec![token("ya29.machine"), hello()]).await;
    let provider = vertex(&server, None);
    let project = Extras { project: Some("mine".into()), ..provider.extras().clone() };
    let provider = provider.with(project);
    client().complete(&provider, &say("gemini-2.5-flash", "hi")).await.expect("an answer");
    let seen = server.seen();
    assert_eq!(seen[0].line, "GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1");
    assert!(seen[0].headers.contains("metadata-flavor: google"));
    assert!(seen[1].headers.contains("authorization: bearer ya29.machine"));
    let error = client().complete(&provider.guarded(), &say("gemini-2.5-flash", "hi")).await.expect_err("refused");
    assert!(matches!(error.kind(), "authentication" | "bad_request"), "{error:?}");
    assert_eq!(server.seen().len(), 2, "nothing was asked");
}

#[tokio::test]
async fn refused_and_unreadable_credentials_are_the_credentials_fault() {
    let refusal = json!({"error": "invalid_grant", "error_description": "Invalid JWT Signature."});
    let server = Server::always(Answer::json(400, &refusal)).await;
    let provider = vertex(&server, Some(account(&server)));
    let error = client().complete(&provider, &say("gemini-2.5-flash", "hi")).await.expect_err("refused");
    assert_eq!((error.kind(), error.status()), ("authentication", Some(400)));
    for broken in [
        json!({"type": "service_account", "client_email": "a", "private_key": "no key"}),
        json!({"type": "external_account"}),
        json!({"hello": "world"}),
    ] {
        let provider = vertex(&server, Some(broken));
        assert!(provider.validate().is_err());
        let error = client().complete(&provider, &say("gemini-2.5-flash", "hi")).await.expect_err("refused");
        assert_eq!(error.kind(), "authentication");
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn its_models_and_embeddings() {
    let page = json!({"publisherModels": [
        {"name": "publishers/google/models/gemini-2.5-pro"},
        {"name": "publishers/google/models/text-embedding-005"},
        {"name": "publishers/google/models/imagen-4"},
    ]});
    let vectors =
        json!({"predictions": [{"embeddings": {"values": [1.0, 2.0]}}, {"embeddings": {"values": [3.0, 4.0]}}]});
    let claude = json!({"publisherModels": [
        {"name": "publishers/anthropic/models/claude-sonnet-4", "versionId": "20250514"},
        {"name": "publishers/anthropic/models/claude-opus-4-8", "versionId": "default"},
        {"name": "publishers/anthropic/models/something-else"},
    ]});
    let answers = [&page, &claude, &vectors].map(|body| Answer::json(200, body));
    let server = Server::start([vec![token("ya29.t")], answers.to_vec()].concat()).await;
    let provider = vertex(&server, Some(account(&server)));
    let client = client();
    let models = client.models(&provider).await.expect("models");
    let shown: Vec<_> =
        models.iter().map(|m| (m.id.as_str(), m.kind, m.context_window.tokens, m.embedding_dim)).collect();
    assert_eq!(
        shown,
        [
            ("gemini-2.5-pro", ModelKind::Chat, 1_048_576, None),
            ("text-embedding-005", ModelKind::Embedding, 2048, Some(768)),
            ("claude-sonnet-4@20250514", ModelKind::Chat, 200_000, None),
            ("claude-opus-4-8", ModelKind::Chat, 200_000, None),
        ]
    );
    assert!(server.seen()[2].line.starts_with("GET /v1beta1/publishers/anthropic/models?"));
    let texts = ["a".to_owned(), "b".to_owned()];
    let embedded = client.embed(&provider, "text-embedding-005", &texts, None).await;
    assert_eq!(embedded, Ok(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
    assert!(server.seen()[3].line.ends_with("/publishers/google/models/text-embedding-005:predict HTTP/1.1"));
}

#[tokio::test]
async fn whoever_may_not_see_claude_sees_gemini() {
    let page = json!({"publisherModels": [{"name": "publishers/google/models/gemini-2.5-pro"}]});
    let refusal = json!({"error": {"code": 403, "message": "Permission denied.", "status": "PERMISSION_DENIED"}});
    let server = Server::start(vec![token("ya29.t"), Answer::json(200, &page), Answer::json(403, &refusal)]).await;
    let models = client().models(&vertex(&server, Some(account(&server)))).await.expect("models");
    assert_eq!(models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["gemini-2.5-pro"]);
}

#[tokio::test]
async fn claude_is_asked_in_its_makers_format_with_googles_token() {
    let whole = json!({"type": "message", "content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 2}});
    let streamed = typed_events(&[
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 3, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hello"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ]);
    let server = Server::start(vec![token("ya29.t"), Answer::json(200, &whole), Answer::events(streamed)]).await;
    let provider = vertex(&server, Some(account(&server)));
    let request = say("claude-sonnet-4@20250514", "hi");
    let client = client();
    let done = client.complete(&provider, &request).await.expect("an answer");
    assert_eq!((done.text.as_deref(), done.finish), (Some("hello"), FinishReason::Stop));
    let deltas: Vec<Delta> =
        client.stream(&provider, &request).await.expect("a stream").try_collect().await.expect("deltas");
    assert_eq!((&deltas[0], deltas.last()), (&text("hello"), Some(&Delta::Finish(FinishReason::Stop))));

    let seen = server.seen();
    let place = "POST /v1/projects/mine/locations/europe-west4/publishers/anthropic/models/claude-sonnet-4@20250514";
    assert_eq!(seen[1].line, format!("{place}:rawPredict HTTP/1.1"));
    assert_eq!(seen[2].line, format!("{place}:streamRawPredict HTTP/1.1"));
    for (call, stream) in [(&seen[1], false), (&seen[2], true)] {
        assert!(call.headers.contains("authorization: bearer ya29.t") && !call.headers.contains("x-api-key"));
        assert_eq!(call.body["anthropic_version"], "vertex-2023-10-16");
        assert_eq!((call.body.get("model"), &call.body["stream"]), (None, &json!(stream)), "the address names it");
    }
}
