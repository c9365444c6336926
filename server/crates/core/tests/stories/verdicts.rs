//! A person decides: requests for approval, answers to them, and everything that must not get past one.

use crate::common::{On, World, kinds, request, say, shown};
use futures::StreamExt;
use mneme_core::{CoreError, TurnEvent, TurnResult};
use mneme_domain::{AgentId, RunId, agent::AgentState, request::SendRequest, run::StopReason};
use mneme_tests::Reply;
use serde_json::{Value, json};

async fn guarded(world: &World) -> AgentState {
    world
        .agent_with(|body| {
            let rule = json!([{"type": "requires_approval", "tool_name": "memory_insert"}]);
            body.tool_rules = Some(serde_json::from_value(rule).unwrap());
        })
        .await
}

fn insert(text: &str) -> Value {
    json!({"label": "human", "new_str": text})
}

/// Has the model ask for an insertion; the call's id comes back.
async fn ask(world: &World, agent: &AgentId, text: &str) -> (TurnResult, String) {
    world.provider.reply(Reply::tool_call("memory_insert", insert(text)));
    let turn = world.say(agent, "go").await.unwrap();
    assert_eq!(turn.stop_reason, StopReason::RequiresApproval);
    let asked = shown(&turn.messages).pop().unwrap();
    assert_eq!(asked["message_type"], "approval_request_message");
    (turn, asked["tool_call"]["tool_call_id"].as_str().unwrap().to_owned())
}

fn verdict(call: &str, approve: bool, reason: Option<&str>) -> SendRequest {
    let one = json!({"type": "approval", "tool_call_id": call, "approve": approve, "reason": reason});
    request(json!({"messages": [{"type": "approval", "approvals": [one]}]}))
}

#[tokio::test]
async fn a_call_waits_for_its_person_even_over_a_restart() {
    for database in [On::Sqlite, On::Postgres] {
        let world = World::on(database).await;
        let agent = guarded(&world).await;
        let (_, call) = ask(&world, &agent.id, "Likes tea.").await;
        assert!(!world.block(&agent.id, "human").await.contains("tea"), "nothing runs before the answer");

        // Another server, which has nothing in its caches.
        let later = world.another(|_| {}).await;
        let refused = later.send(&world.actor, &agent.id, say("hello?")).await.unwrap_err();
        let CoreError::ConflictDetail(detail) = refused else { panic!("{refused}") };
        assert_eq!(detail["code"], "PENDING_APPROVAL");
        let refused = later.send_async(&world.actor, &agent.id, say("hello?")).await.unwrap_err();
        assert!(matches!(refused, CoreError::ConflictDetail(_)), "who does not wait learns it at once: {refused}");

        world.provider.reply(Reply::text("Noted."));
        let turn = later.send(&world.actor, &agent.id, verdict(&call, true, None)).await.unwrap();
        assert_eq!(kinds(&turn.messages), ["tool_return_message", "assistant_message"]);
        assert_eq!(turn.stop_reason, StopReason::EndTurn);
        assert!(world.block(&agent.id, "human").await.contains("Likes tea."));

        // A client that lost the connection sends the same answer again: it is told what came of it, and nothing runs.
        let calls = world.provider.chats().len();
        let again = later.send(&world.actor, &agent.id, verdict(&call, true, None)).await.unwrap();
        assert_eq!(shown(&again.messages), shown(&turn.messages));
        assert_eq!(world.provider.chats().len(), calls, "an answer counts once");
        assert_eq!(world.block(&agent.id, "human").await.matches("Likes tea.").count(), 1);
    }
}

#[tokio::test]
async fn a_denial_reaches_the_model_with_its_reason() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    let (_, call) = ask(&world, &agent.id, "Likes tea.").await;
    world.provider.reply(Reply::text("I see."));
    let turn = world.core.send(&world.actor, &agent.id, verdict(&call, false, Some("too private"))).await.unwrap();
    let returned = &shown(&turn.messages)[0];
    assert_eq!(returned["status"], "error");
    let text = returned["tool_return"].as_str().unwrap();
    assert!(text.contains("denied") && text.contains("too private"), "{text}");
    let sent = world.provider.chats().pop().unwrap();
    let roles: Vec<&str> = sent.messages().iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles[roles.len() - 3..], ["user", "assistant", "tool"]);
    assert!(!world.block(&agent.id, "human").await.contains("tea"));
}

#[tokio::test]
async fn each_of_several_calls_gets_its_own_verdict_beside_one_that_needs_none() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    let replace = json!({"label": "persona", "old_str": "terse", "new_str": "kind"});
    let reply = Reply::tool_call("memory_replace", replace)
        .and_tool_call("memory_insert", insert("Likes tea."))
        .and_tool_call("memory_insert", insert("Hates tea."))
        .and_tool_call("memory_insert", insert("Owns a pot."));
    world.provider.reply(reply);
    let turn = world.say(&agent.id, "go").await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_call_message", "tool_return_message", "approval_request_message"]);
    assert!(world.block(&agent.id, "persona").await.contains("kind"), "what needs no approval runs at once");
    let asked = shown(&turn.messages).pop().unwrap();
    let calls: Vec<&str> =
        asked["tool_calls"].as_array().unwrap().iter().map(|call| call["tool_call_id"].as_str().unwrap()).collect();
    assert_eq!(calls.len(), 3);

    let some = json!([{"tool_call_id": calls[0], "approve": true}]);
    let partly = request(json!({"messages": [{"type": "approval", "approvals": some}]}));
    let refused = world.core.send(&world.actor, &agent.id, partly).await.unwrap_err();
    assert!(refused.to_string().contains("Invalid tool call IDs"), "{refused}");

    world.provider.reply(Reply::text("Done."));
    let all = json!([
        {"type": "tool", "tool_call_id": calls[2], "tool_return": "done at the client", "status": "success"},
        {"tool_call_id": calls[1], "approve": false},
        {"tool_call_id": calls[0], "approve": true},
    ]);
    let body = json!({"messages": [{"type": "approval", "approvals": all}, {"role": "user", "content": "and now?"}]});
    let turn = world.core.send(&world.actor, &agent.id, request(body)).await.unwrap();
    let returns = shown(&turn.messages)[0]["tool_returns"].clone();
    let statuses: Vec<&str> = returns.as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["success", "error", "success"]);
    assert_eq!(returns[2]["tool_return"], "done at the client");
    let block = world.block(&agent.id, "human").await;
    assert!(block.contains("Likes tea.") && !block.contains("Hates tea.") && !block.contains("Owns a pot."), "{block}");

    // The provider sees one answer with four calls, four returns, and what the person said beside the verdicts.
    let sent = world.provider.chats().pop().unwrap();
    let messages = sent.messages();
    let answer = messages.iter().position(|message| message["tool_calls"].is_array()).unwrap();
    assert_eq!(messages[answer]["tool_calls"].as_array().unwrap().len(), 4);
    let roles: Vec<&str> = messages[answer + 1..].iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["tool", "tool", "tool", "tool", "user"]);
}

#[tokio::test]
async fn cancelling_or_resetting_takes_the_request_back() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    let (turn, call) = ask(&world, &agent.id, "Likes tea.").await;
    let other = RunId::trusted("run-00000000-0000-4000-8000-000000000000".into());
    assert!(world.core.cancel_runs(&world.actor, &agent.id, Some(vec![other])).await.is_err());
    let cancelled = world.core.cancel_runs(&world.actor, &agent.id, None).await.unwrap();
    assert_eq!(cancelled, [(turn.run_id, "cancelled")]);
    let refused = world.core.send(&world.actor, &agent.id, verdict(&call, true, None)).await.unwrap_err();
    assert!(matches!(refused, CoreError::Invalid(_)), "{refused}");
    world.provider.reply(Reply::text("Hello."));
    world.say(&agent.id, "hello").await.unwrap();
    assert!(!world.block(&agent.id, "human").await.contains("tea"));

    ask(&world, &agent.id, "Likes tea.").await;
    world.core.reset_messages(&world.actor, &agent.id, false).await.unwrap();
    world.provider.reply(Reply::text("Who are you?"));
    world.say(&agent.id, "hello").await.unwrap();
}

#[tokio::test]
async fn a_stream_of_tokens_shows_the_request_under_its_own_id() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    world.provider.reply(Reply::tool_call("memory_insert", insert("Likes tea.")));
    let mut body = say("go");
    body.stream_tokens = Some(true);
    let events: Vec<TurnEvent> = world.core.start_stream(&world.actor, &agent.id, body).await.unwrap().collect().await;
    let mut arguments = String::new();
    let mut ids = Vec::new();
    for event in &events {
        if let TurnEvent::Message(envelope) = event {
            let value = serde_json::to_value(&**envelope).unwrap();
            assert_eq!(value["message_type"], "approval_request_message");
            arguments += value["tool_call"]["arguments"].as_str().unwrap();
            ids.push(value["id"].as_str().unwrap().to_owned());
        }
    }
    ids.dedup();
    assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), insert("Likes tea."));
    let refused = world.say(&agent.id, "hello").await.unwrap_err();
    let CoreError::ConflictDetail(detail) = refused else { panic!("{refused}") };
    assert_eq!(ids, [detail["pending_request_id"].as_str().unwrap()]);
}

#[tokio::test]
async fn rules_are_checked_again_when_the_answer_comes() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    let (_, call) = ask(&world, &agent.id, "Likes tea.").await;
    let rules =
        json!({"tool_rules": [{"type": "max_count_per_step", "tool_name": "memory_insert", "max_count_limit": 0}]});
    world.core.update_agent(&world.actor, &agent.id, serde_json::from_value(rules).unwrap()).await.unwrap();
    world.provider.reply(Reply::text("Well then."));
    let turn = world.core.send(&world.actor, &agent.id, verdict(&call, true, None)).await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["status"], "error");
    assert!(!world.block(&agent.id, "human").await.contains("tea"));
}

#[tokio::test]
async fn a_turn_does_not_end_before_its_required_tool_was_called() {
    let world = World::new().await;
    let agent = world
        .agent_with(|body| {
            let rule = json!([{"type": "required_before_exit", "tool_name": "memory_insert"}]);
            body.tool_rules = Some(serde_json::from_value(rule).unwrap());
        })
        .await;
    world
        .provider
        .reply(Reply::text("Bye."))
        .reply(Reply::tool_call("memory_insert", insert("Likes tea.")))
        .reply(Reply::text("Now bye."));
    let turn = world.say(&agent.id, "go").await.unwrap();
    assert_eq!((turn.stop_reason, turn.usage.step_count), (StopReason::EndTurn, 3));
    let chats = world.provider.chats();
    let last = chats[1].messages().last().unwrap().clone();
    assert_eq!(last["role"], "user");
    assert!(last["content"].as_str().unwrap().contains("memory_insert"), "{last}");
    assert_eq!(chats[1].body["tool_choice"], "required");
    assert_eq!(chats[2].body["tool_choice"], "auto");
}
