//! Model listings of every kind of server.

use mneme_llm::{ContextSource, ModelInfo, ModelKind, Provider, ProviderKind};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_partial_json, header, method, path, query_param},
};

use crate::{client, provider};

async fn get(server: &MockServer, at: &str, body: Value) {
    Mock::given(method("GET"))
        .and(path(at))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(server)
        .await;
}

/// Each model on a line: id, kind, window and its source, then what else is known.
async fn listed(provider: &Provider) -> Vec<String> {
    client().models(provider).await.expect("models").iter().map(line).collect()
}

fn line(model: &ModelInfo) -> String {
    let kind = match model.kind {
        ModelKind::Chat => "chat",
        ModelKind::Embedding => "embedding",
        ModelKind::Other => "other",
    };
    let source = match model.context_window.source {
        ContextSource::Provider => "told",
        ContextSource::Table => "known",
        ContextSource::Assumed => "assumed",
    };
    let mut line = format!("{} {kind} {} {source}", model.id, model.context_window.tokens);
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            line.push_str(&format!(" {name}={value}"));
        }
    };
    add("out", model.max_output.map(|n| n.to_string()));
    add("dim", model.embedding_dim.map(|n| n.to_string()));
    add("tools", model.supports_tools.map(|b| b.to_string()));
    add("vision", model.supports_vision.map(|b| b.to_string()));
    add("reasoning", model.reasoning.then(|| "true".to_owned()));
    line
}

#[tokio::test]
async fn openai_tells_names_only() {
    let server = MockServer::start().await;
    let ids = ["gpt-4o-mini", "gpt-5", "o3-mini", "text-embedding-3-large", "whisper-1", "my-own"];
    let data: Vec<Value> = ids.iter().map(|id| json!({"id": id, "object": "model"})).collect();
    get(&server, "/v1/models", json!({"object": "list", "data": data})).await;
    let provider = provider(ProviderKind::OpenAi, &format!("{}/v1", server.uri()));
    assert_eq!(
        listed(&provider).await,
        [
            "gpt-4o-mini chat 128000 known out=16384 tools=true vision=true",
            "gpt-5 chat 272000 known out=128000 tools=true vision=true reasoning=true",
            "o3-mini chat 200000 known out=100000 tools=true vision=false reasoning=true",
            "text-embedding-3-large embedding 8191 known dim=3072 tools=false vision=false",
            "whisper-1 other 8192 assumed",
            "my-own chat 8192 assumed",
        ]
    );
}

#[tokio::test]
async fn every_imitation_tells_windows_under_its_own_name() {
    let server = MockServer::start().await;
    get(
        &server,
        "/v1/models",
        json!([
            {"id": "vllm", "max_model_len": 4096},
            {"id": "groq", "context_window": 131072, "max_completion_tokens": 32768},
            {"id": "together", "type": "chat", "context_length": 32768},
            {"id": "together-e", "type": "embedding", "context_length": 512},
            {"id": "router", "context_length": 65536, "top_provider": {"max_completion_tokens": 1000},
             "architecture": {"input_modalities": ["text", "image"]}, "supported_parameters": ["tools", "reasoning"]},
            {"id": "mistral", "max_context_length": 128000, "capabilities": {"function_calling": true, "vision": false}},
            {"id": "trained", "meta": {"n_ctx_train": 2048}},
            {"id": "zero", "context_window": 0},
        ]),
    )
    .await;
    assert_eq!(
        listed(&provider(ProviderKind::OpenAiCompatible, &format!("{}/v1/", server.uri()))).await,
        [
            "vllm chat 4096 told",
            "groq chat 131072 told out=32768",
            "together chat 32768 told",
            "together-e embedding 512 told",
            "router chat 65536 told out=1000 tools=true vision=true reasoning=true",
            "mistral chat 128000 told tools=true vision=false",
            "trained chat 2048 told",
            "zero chat 8192 assumed",
        ]
    );
}

#[tokio::test]
async fn llama_cpp_serves_less_than_the_model_was_trained_for() {
    let server = MockServer::start().await;
    let model = json!({"id": "q.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072, "n_embd": 1024}});
    get(&server, "/v1/models", json!({"data": [model]})).await;
    get(&server, "/props", json!({"default_generation_settings": {"n_ctx": 4096}})).await;
    for (kind, base) in
        [(ProviderKind::LlamaCpp, server.uri()), (ProviderKind::OpenAiCompatible, format!("{}/v1", server.uri()))]
    {
        assert_eq!(listed(&provider(kind, &base)).await, ["q.gguf chat 4096 told"]);
    }
}

#[tokio::test]
async fn ollama_is_asked_about_each_model() {
    let server = MockServer::start().await;
    get(
        &server,
        "/api/tags",
        json!({"models": [{"name": "a:latest"}, {"model": "b:7b"}, {"name": "e"}, {"name": "gone"}]}),
    )
    .await;
    for (name, shown) in [
        (
            "a:latest",
            json!({"parameters": "stop  \"x\"\nnum_ctx                        16384\n", "capabilities": ["completion", "tools", "thinking"],
                "model_info": {"qwen3.context_length": 40960, "qwen3.embedding_length": 4096}}),
        ),
        ("b:7b", json!({"capabilities": ["completion", "vision"], "model_info": {"llama.context_length": 131072}})),
        (
            "e",
            json!({"capabilities": ["embedding"], "model_info": {"bert.context_length": 512, "bert.embedding_length": 384}}),
        ),
    ] {
        Mock::given(method("POST"))
            .and(path("/api/show"))
            .and(body_partial_json(json!({"model": name})))
            .respond_with(ResponseTemplate::new(200).set_body_json(shown))
            .mount(&server)
            .await;
    }
    for base in [server.uri(), format!("{}/v1", server.uri())] {
        assert_eq!(
            listed(&provider(ProviderKind::Ollama, &base)).await,
            [
                "a:latest chat 16384 told tools=true vision=false reasoning=true",
                "b:7b chat 131072 told tools=false vision=true",
                "e embedding 512 told dim=384 tools=false vision=false",
                "gone chat 8192 assumed",
            ]
        );
    }
}

#[tokio::test]
async fn lm_studio_has_a_richer_listing_and_an_old_one() {
    let server = MockServer::start().await;
    get(
        &server,
        "/api/v0/models",
        json!({"data": [
            {"id": "big", "type": "llm", "state": "loaded", "max_context_length": 131072, "loaded_context_length": 4096, "capabilities": ["tool_use"]},
            {"id": "eyes", "type": "vlm", "state": "not-loaded", "max_context_length": 32768},
            {"id": "vec", "type": "embeddings", "max_context_length": 2048},
        ]}),
    )
    .await;
    assert_eq!(
        listed(&provider(ProviderKind::LmStudio, &format!("{}/v1", server.uri()))).await,
        [
            "big chat 4096 told tools=true vision=false",
            "eyes chat 32768 told vision=true",
            "vec embedding 2048 told vision=false"
        ]
    );
    let old = MockServer::start().await;
    get(&old, "/v1/models", json!({"data": [{"id": "m"}]})).await;
    assert_eq!(listed(&provider(ProviderKind::LmStudio, &old.uri())).await, ["m chat 8192 assumed"]);
}

#[tokio::test]
async fn anthropic_is_read_page_by_page() {
    let server = MockServer::start().await;
    let page = |ids: &[&str], more: bool| {
        let data: Vec<Value> = ids.iter().map(|id| json!({"id": id, "type": "model"})).collect();
        ResponseTemplate::new(200).set_body_json(json!({"data": data, "has_more": more, "last_id": ids.last()}))
    };
    let listing = || Mock::given(method("GET")).and(path("/v1/models")).and(header("anthropic-version", "2023-06-01"));
    listing()
        .and(query_param("after_id", "claude-3-5-haiku-20241022"))
        .and(header("x-api-key", "sk-test-0123456789"))
        .respond_with(page(&["claude-new-1"], false))
        .with_priority(1)
        .mount(&server)
        .await;
    listing().respond_with(page(&["claude-opus-4-1-20250805", "claude-3-5-haiku-20241022"], true)).mount(&server).await;
    assert_eq!(
        listed(&provider(ProviderKind::Anthropic, &server.uri())).await,
        [
            "claude-opus-4-1-20250805 chat 200000 known out=32000 tools=true vision=true reasoning=true",
            "claude-3-5-haiku-20241022 chat 200000 known out=8192 tools=true vision=true",
            "claude-new-1 chat 200000 known out=64000 tools=true vision=true reasoning=true",
        ]
    );
}

#[tokio::test]
async fn gemini_tells_limits_and_methods() {
    let server = MockServer::start().await;
    let models = json!([
        {"name": "models/gemini-2.5-pro", "inputTokenLimit": 1048576, "outputTokenLimit": 65536, "supportedGenerationMethods": ["generateContent"], "thinking": true},
        {"name": "models/gemini-embedding-001", "inputTokenLimit": 2048, "supportedGenerationMethods": ["embedContent"]},
        {"name": "models/gemini-2.5-flash-preview-tts", "inputTokenLimit": 8192, "supportedGenerationMethods": ["generateContent"]},
        {"name": "models/aqa", "inputTokenLimit": 7168, "supportedGenerationMethods": ["generateAnswer"]},
    ]);
    Mock::given(method("GET"))
        .and(path("/v1beta/models"))
        .and(header("x-goog-api-key", "sk-test-0123456789"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({ "models": models })))
        .mount(&server)
        .await;
    assert_eq!(
        listed(&provider(ProviderKind::Gemini, &server.uri())).await,
        [
            "gemini-2.5-pro chat 1048576 told out=65536 tools=true vision=true reasoning=true",
            "gemini-embedding-001 embedding 2048 told dim=3072 tools=false vision=false",
            "gemini-2.5-flash-preview-tts other 8192 told out=65536 tools=true vision=true reasoning=true",
            "aqa other 7168 told",
        ]
    );
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_address_are_named() {
    let server = MockServer::start().await;
    let refusal =
        ResponseTemplate::new(401).set_body_json(json!({"error": {"message": "wrong key sk-test-0123456789"}}));
    Mock::given(path("/v1/models")).respond_with(refusal).mount(&server).await;
    let failure =
        |base: String| async move { client().models(&provider(ProviderKind::OpenAi, &base)).await.expect_err("fails") };
    let refused = failure(format!("{}/v1", server.uri())).await;
    assert_eq!((refused.kind(), refused.to_string().as_str()), ("authentication", "wrong key [redacted]"));
    assert_eq!(failure(format!("{}/nowhere", server.uri())).await.kind(), "not_found");
    get(&server, "/odd/models", json!({"hello": 1})).await;
    assert_eq!(failure(format!("{}/odd", server.uri())).await.kind(), "malformed");
}
