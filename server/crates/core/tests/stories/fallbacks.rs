//! A provider that fails: another model steps in, the cost is written down, and what went over the wire is kept for a
//! while.

use mneme_core::{CoreError, CreateProvider, StepFilter};
use mneme_domain::{AgentId, Page, step::Step};
use mneme_tests::{Provider, Reply};
use serde_json::{Value, json};

use crate::common::{World, request, say};

/// Another provider of the organisation's own, with one model.
async fn second(w: &World) -> Provider {
    let upstream = Provider::start().await;
    upstream.models(&["gpt-4o"]);
    let body: CreateProvider = serde_json::from_value(json!({
        "name": "second", "provider_type": "xai", "api_key": "k", "base_url": upstream.base_url(),
    }))
    .unwrap();
    w.core.create_provider(&w.actor, body).await.unwrap();
    upstream
}

async fn agent_with(w: &World, fallbacks: Value) -> AgentId {
    let metadata = json!({ "fallback_models": fallbacks });
    w.agent_with(|body| body.metadata = serde_json::from_value(metadata).unwrap()).await.id
}

async fn last_step(w: &World, agent: &AgentId) -> Step {
    let filter = StepFilter { agent_id: Some(agent.clone()), ..StepFilter::default() };
    w.core.list_steps(&w.actor, filter, &Page::all()).await.unwrap().pop().unwrap()
}

#[tokio::test]
async fn another_model_answers_when_the_agents_own_cannot() {
    let w = World::new().await;
    let upstream = second(&w).await;
    let agent = agent_with(&w, json!(["nowhere/model", "second/gone", "second/gpt-4o"])).await;
    upstream.reply(Reply::text("stand-in"));
    w.provider.reply(Reply::error(401, "invalid_api_key", "that key is no good"));
    w.say(&agent, "hello").await.unwrap();
    assert_eq!(upstream.chats()[0].body["model"], "gpt-4o");
    let step = last_step(&w, &agent).await;
    assert_eq!((step.provider_name.as_deref(), step.model.as_deref()), (Some("second"), Some("gpt-4o")));
    let cost = step.completion_tokens_details.unwrap()["cost_usd"].as_f64().unwrap();
    assert!(cost > 0.0 && cost < 0.1, "{cost}");

    w.say(&agent, "again").await.unwrap();
    assert_eq!((w.provider.chats().len(), upstream.chats().len()), (2, 1), "the agent's own model comes first again");
    let step = last_step(&w, &agent).await;
    assert_eq!(step.provider_name.as_deref(), Some("openai"));
    assert!(step.completion_tokens_details.is_none_or(|details| details.get("cost_usd").is_none()), "not for sale");
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_not_tried_elsewhere() {
    let w = World::new().await;
    let upstream = second(&w).await;
    let agent = agent_with(&w, json!("second/gpt-4o")).await;
    w.provider.reply(Reply::error(400, "content_policy_violation", "no"));
    let error = w.say(&agent, "hello").await.unwrap_err();
    assert!(matches!(&error, CoreError::Llm(failure) if failure.message.contains("refused the content")), "{error}");
    assert!(upstream.chats().is_empty());
    let lonely = agent_with(&w, json!(["nowhere/model"])).await;
    w.provider.reply(Reply::error(401, "invalid_api_key", "that key is no good"));
    let error = w.say(&lonely, "hello").await.unwrap_err();
    assert!(matches!(&error, CoreError::Llm(failure) if failure.status == 401), "the first failure counts: {error}");
}

#[tokio::test]
async fn a_model_that_vanished_is_named() {
    let w = World::new().await;
    let agent = w.agent().await;
    w.provider.reply(Reply::error(404, "model_not_found", "The model `gpt-4o-mini` does not exist"));
    let error = w.say(&agent.id, "hello").await.unwrap_err();
    let CoreError::Llm(failure) = &error else { panic!("{error}") };
    assert_eq!((failure.status, failure.kind), (502, "llm_error"));
    assert!(failure.message.contains("no longer") && failure.detail.contains("gpt-4o-mini"), "{failure:?}");
}

#[tokio::test]
async fn a_refusal_is_final_and_says_so() {
    let w = World::new().await;
    let agent = w.agent().await;
    w.provider.reply(Reply::empty().finish_reason("content_filter"));
    w.say(&agent.id, "hello").await.unwrap();
    assert_eq!(w.provider.chats().len(), 1, "it is not asked again");
    let step = last_step(&w, &agent.id).await;
    assert_eq!(step.completion_tokens_details.unwrap()["finish_reason"], "content_filter");
    w.provider.reply(Reply::text("too lo").finish_reason("length"));
    w.say(&agent.id, "at length").await.unwrap();
    assert_eq!(last_step(&w, &agent.id).await.completion_tokens_details.unwrap()["finish_reason"], "length");
}

#[tokio::test]
async fn traces_hold_no_images_and_no_secrets_and_go_with_time() {
    let w = World::new().await;
    let agent = w.agent().await;
    let image = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let padded = format!("{}{}", &image[..image.len() - 4], "A".repeat(400));
    let content = json!([
        {"type": "text", "text": "look; my key is test-key"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": padded}},
    ]);
    let body = request(json!({"messages": [{"role": "user", "content": content}]}));
    w.core.send(&w.actor, &agent.id, body).await.unwrap();
    let step = last_step(&w, &agent.id).await;
    let trace = w.core.step_trace(&w.actor, &step.id).await.unwrap().unwrap();
    let text = trace.request_json.to_string();
    assert!(text.contains("characters of base64 cut") && !text.contains("iVBORw0KGgo"), "{text}");
    assert!(text.contains("my key is [redacted]"), "{text}");
    assert!(w.provider.chats()[0].body.to_string().contains("iVBORw0KGgo"), "the provider saw the image");

    assert_eq!(w.core.forget_traces().await.unwrap(), 0, "it is young");
    let forgetful = w.another(|config| config.trace_age = std::time::Duration::from_nanos(1)).await;
    forgetful.forget_traces().await.unwrap();
    assert_eq!(w.core.step_trace(&w.actor, &step.id).await.unwrap(), None);
    let silent = w.another(|config| config.trace_age = std::time::Duration::ZERO).await;
    silent.send(&w.actor, &agent.id, say("hello")).await.unwrap();
    let step = last_step(&w, &agent.id).await;
    assert_eq!(w.core.step_trace(&w.actor, &step.id).await.unwrap(), None, "nothing was kept");
}
