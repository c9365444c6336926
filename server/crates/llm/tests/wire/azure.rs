//! OpenAI's models at Azure.

use mneme_llm::{Extras, FinishReason, ModelKind, ProviderKind};
use serde_json::json;

use crate::{
    client, provider, say,
    server::{Answer, Server},
};

fn hello() -> Answer {
    Answer::json(200, &json!({"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}))
}

#[tokio::test]
async fn the_deployment_and_the_version_are_in_the_address() {
    let server = Server::always(hello()).await;
    let azure = provider(ProviderKind::Azure, &server.url);
    client().complete(&azure, &say("my gpt/4o", "hi")).await.expect("an answer");
    let preview = Extras { api_version: Some("2025-04-01-preview".into()), ..Extras::default() };
    client().complete(&azure.with(preview), &say("mine", "hi")).await.expect("an answer");
    let newer = provider(ProviderKind::Azure, &format!("{}/openai/v1/", server.url));
    client().complete(&newer, &say("mine", "hi")).await.expect("an answer");
    let lines: Vec<String> = server.seen().iter().map(|seen| seen.line.clone()).collect();
    assert_eq!(
        lines,
        [
            "POST /openai/deployments/my%20gpt_4o/chat/completions?api-version=2024-10-21 HTTP/1.1",
            "POST /openai/deployments/mine/chat/completions?api-version=2025-04-01-preview HTTP/1.1",
            "POST /openai/v1/chat/completions HTTP/1.1",
        ]
    );
    assert!(server.seen()[0].headers.contains("api-key: sk-test-0123456789"));
    assert!(!server.seen()[0].headers.contains("authorization"));
}

#[tokio::test]
async fn deployments_are_what_their_models_are() {
    let server = Server::always(Answer::json(
        200,
        &json!({"data": [
            {"id": "fast", "model": "gpt-4o-mini", "status": "succeeded"},
            {"id": "vectors", "model": "text-embedding-3-large", "status": "succeeded"},
            {"id": "late", "model": "gpt-4o", "status": "running"},
        ]}),
    ))
    .await;
    let models = client().models(&provider(ProviderKind::Azure, &server.url)).await.expect("models");
    let shown: Vec<_> =
        models.iter().map(|m| (m.id.as_str(), m.kind, m.context_window.tokens, m.embedding_dim)).collect();
    assert_eq!(shown, [("fast", ModelKind::Chat, 128_000, None), ("vectors", ModelKind::Embedding, 8191, Some(3072))]);
    let silent = Server::start(vec![
        Answer::json(404, &json!({"error": {"code": "404", "message": "Resource not found"}})),
        Answer::json(
            200,
            &json!({"data": [
                {"id": "gpt-4o", "capabilities": {"chat_completion": true, "embeddings": false}},
                {"id": "dall-e-3", "capabilities": {"chat_completion": false, "embeddings": false}},
            ]}),
        ),
    ])
    .await;
    let models = client().models(&provider(ProviderKind::Azure, &silent.url)).await.expect("models");
    let kinds: Vec<_> = models.iter().map(|m| (m.id.as_str(), m.kind)).collect();
    assert_eq!(kinds, [("gpt-4o", ModelKind::Chat), ("dall-e-3", ModelKind::Other)]);
}

#[tokio::test]
async fn the_content_filter_is_named_in_both_places() {
    let refused = json!({"error": {"code": "content_filter", "status": 400,
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."}});
    let cut = json!({"choices": [{"message": {"content": "hel"}, "finish_reason": "content_filter"}]});
    let server = Server::start(vec![Answer::json(400, &refused), Answer::json(200, &cut)]).await;
    let azure = provider(ProviderKind::Azure, &server.url);
    let error = client().complete(&azure, &say("mine", "hi")).await.expect_err("refused");
    assert_eq!(error.kind(), "content_policy");
    let done = client().complete(&azure, &say("mine", "hi")).await.expect("a part");
    assert_eq!(done.finish, FinishReason::ContentFilter);
}
