//! The exact bodies that go out to every provider: streamed, with tools, images and reasoning.

use insta::{Settings, assert_json_snapshot};

use crate::{
    client::LlmClient,
    fixtures::{everything, structured},
    http::Timeouts,
    kinds::ProviderKind,
    provider::{Extras, Provider},
    retry::RetryPolicy,
};

fn provider(kind: ProviderKind) -> Provider {
    let base = "https://provider.example/v1".parse().expect("url");
    let extras = Extras { region: Some("eu-west-1".into()), project: Some("mine".into()), ..Extras::default() };
    Provider::new(kind.name(), kind, base, Some("sk-test-0123456789".to_owned().into())).with(extras)
}

/// A model of each provider that is able to do most.
fn model(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::OpenAi => "gpt-5-mini",
        ProviderKind::OpenAiCompatible => "some-model",
        ProviderKind::Azure => "my-gpt-4o",
        ProviderKind::Ollama => "qwen3:8b",
        ProviderKind::Vllm | ProviderKind::LmStudio | ProviderKind::LlamaCpp => "qwen3-8b",
        ProviderKind::OpenRouter => "anthropic/claude-sonnet-4",
        ProviderKind::Groq | ProviderKind::Together | ProviderKind::HuggingFace => "openai/gpt-oss-120b",
        ProviderKind::Xai => "grok-3-mini",
        ProviderKind::DeepSeek => "deepseek-reasoner",
        ProviderKind::Mistral => "mistral-large-latest",
        ProviderKind::Cerebras => "gpt-oss-120b",
        ProviderKind::Anthropic => "claude-sonnet-4-20250514",
        ProviderKind::Gemini | ProviderKind::Vertex => "gemini-2.5-flash",
        ProviderKind::Bedrock => "us.anthropic.claude-sonnet-4-20250514-v1:0",
    }
}

#[test]
fn bodies_of_every_provider() {
    let client = LlmClient::new(Timeouts::default(), RetryPolicy::default()).expect("client");
    let mut settings = Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        for kind in ProviderKind::all() {
            let provider = provider(kind);
            let mut request = everything(model(kind));
            request.cache_key = Some("agent-1".into());
            assert_json_snapshot!(kind.name(), client.request_body(&provider, &request, true));
            let body = client.request_body(&provider, &structured(model(kind)), false);
            assert_json_snapshot!(format!("{}-structured", kind.name()), body);
        }
        let vertex = provider(ProviderKind::Vertex);
        let claude = "claude-sonnet-4@20250514";
        assert_json_snapshot!("vertex-claude", client.request_body(&vertex, &everything(claude), true));
        assert_json_snapshot!("vertex-claude-structured", client.request_body(&vertex, &structured(claude), false));
    });
}
