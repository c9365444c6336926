//! The older architectures: they act by tool calls, think in an argument of each, and answer through a tool.

use crate::common::{World, kinds, say, shown};
use futures::StreamExt;
use mneme_core::TurnEvent;
use mneme_domain::{agent::AgentType, run::StopReason};
use mneme_tests::Reply;
use serde_json::json;

async fn thinker(world: &World) -> mneme_domain::agent::AgentState {
    world
        .agent_with(|body| {
            body.agent_type = Some(AgentType::MemgptV2Agent);
            body.reasoning = Some(true);
        })
        .await
}

#[tokio::test]
async fn an_answer_through_the_tool_is_shown_as_thought_and_answer() {
    let world = World::new().await;
    let agent = thinker(&world).await;
    world.provider.reply(Reply::tool_call("send_message", json!({"thinking": "be kind", "message": "Hello!"})));
    let turn = world.say(&agent.id, "hi").await.unwrap();
    assert_eq!(kinds(&turn.messages), ["reasoning_message", "assistant_message"]);
    let shown = shown(&turn.messages);
    assert_eq!((&shown[0]["reasoning"], &shown[1]["content"]), (&json!("be kind"), &json!("Hello!")));
    assert_eq!(turn.stop_reason, StopReason::EndTurn);

    let sent = &world.provider.chats()[0].body;
    assert_eq!(sent["tool_choice"], "required");
    for tool in sent["tools"].as_array().unwrap() {
        assert_eq!(tool["function"]["parameters"]["required"][0], "thinking", "{tool}");
    }
    world.provider.reply(Reply::tool_call("send_message", json!({"message": "Again."})));
    world.say(&agent.id, "more").await.unwrap();
    let history = world.provider.chats().pop().unwrap();
    let earlier = history.messages().iter().rfind(|message| message["role"] == "assistant").unwrap();
    assert_eq!(earlier["content"], "be kind", "the model sees what it thought");
}

#[tokio::test]
async fn thoughts_and_answer_stream_as_they_are_written() {
    let world = World::new().await;
    let agent = thinker(&world).await;
    let arguments = json!({"thinking": "a long deep thought", "message": "and a long wide answer"});
    world.provider.reply(Reply::tool_call("send_message", arguments));
    let mut body = say("hi");
    body.stream_tokens = Some(true);
    let stream = world.core.start_stream(&world.actor, &agent.id, body).await.unwrap();
    let (mut thought, mut answer, mut others) = (String::new(), String::new(), Vec::new());
    for event in stream.collect::<Vec<_>>().await {
        if let TurnEvent::Message(envelope) = event {
            let value = serde_json::to_value(&*envelope).unwrap();
            match value["message_type"].as_str().unwrap() {
                "reasoning_message" => thought.push_str(value["reasoning"].as_str().unwrap()),
                "assistant_message" => answer.push_str(value["content"].as_str().unwrap()),
                other => others.push(other.to_owned()),
            }
        }
    }
    assert_eq!((thought.as_str(), answer.as_str()), ("a long deep thought", "and a long wide answer"));
    assert!(others.is_empty(), "{others:?}");
}

#[tokio::test]
async fn a_model_that_wants_no_heartbeat_ends_its_turn_and_a_failed_call_goes_back_to_it() {
    let world = World::new().await;
    for (arguments, steps) in [
        (json!({"label": "human", "new_str": "tea", "request_heartbeat": false}), 1),
        (json!({"label": "human", "new_str": "milk", "request_heartbeat": true}), 2),
        (json!({"label": "nowhere", "new_str": "x", "request_heartbeat": false}), 2),
    ] {
        let agent = world
            .agent_with(|body| {
                body.agent_type = Some(AgentType::MemgptAgent);
                body.tools = Some(vec!["memory_insert".into()]);
                // Without the rules that come with base tools the model decides.
                body.include_base_tool_rules = Some(false);
                body.tool_rules =
                    Some(serde_json::from_value(json!([{"type": "exit_loop", "tool_name": "send_message"}])).unwrap());
            })
            .await;
        world.provider.forget_requests();
        world.provider.reply(Reply::tool_call("memory_insert", arguments.clone()));
        if steps == 2 {
            world.provider.reply(Reply::tool_call("send_message", json!({"message": "done"})));
        }
        let turn = world.say(&agent.id, "go").await.unwrap();
        assert_eq!(turn.usage.step_count, steps, "{arguments}");
        assert_eq!(turn.stop_reason, StopReason::EndTurn);
        let sent = &world.provider.chats()[0].body;
        for tool in sent["tools"].as_array().unwrap() {
            let function = &tool["function"];
            let asked = function["parameters"]["properties"].get("request_heartbeat").is_some();
            assert_eq!(asked, function["name"] != "send_message", "{function}");
        }
    }
}

#[tokio::test]
async fn an_agent_finds_and_reads_what_it_answered_through_the_tool() {
    let world = World::new().await;
    let agent = world.agent_with(|body| body.agent_type = Some(AgentType::MemgptV2Agent)).await;
    let answer = "the purple elephant sleeps in the harbour";
    world.provider.reply(Reply::tool_call("send_message", json!({"message": answer})));
    world.say(&agent.id, "hi").await.unwrap();
    let search = json!({"query": "elephant", "roles": ["assistant"]});
    world.provider.reply(Reply::tool_call("conversation_search", search));
    world.provider.reply(Reply::tool_call("send_message", json!({"message": "found"})));
    let turn = world.say(&agent.id, "what did you say?").await.unwrap();
    let shown = shown(&turn.messages);
    let found = shown.iter().find_map(|one| one["tool_return"].as_str()).unwrap();
    assert!(found.contains(answer), "{found}");
}
