//! Gemini at Google Cloud: tokens of service accounts, users and machines.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use mneme_llm::{Extras, ModelKind, Provider, ProviderKind};
use serde_json::{Value, json};

use crate::{
    client, say,
    server::{Answer, Server},
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
    let server = Server::start(vec![token("ya29.t"), Answer::json(200, &page), Answer::json(200, &vectors)]).await;
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
        ]
    );
    let texts = ["a".to_owned(), "b".to_owned()];
    let embedded = client.embed(&provider, "text-embedding-005", &texts, None).await;
    assert_eq!(embedded, Ok(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
    assert!(server.seen()[2].line.ends_with("/models/text-embedding-005:predict HTTP/1.1"));
}
