//! Tools whose calls wait for a person, and tools that the client runs.

use futures::StreamExt;
use mneme_core::{CoreError, TurnEvent, TurnResult};
use mneme_domain::{
    AgentId, Order, Page,
    agent::AgentState,
    run::{RequestConfig, RunStatus, StopReason},
};
use mneme_tests::Reply;
use serde_json::{Value, json};

use crate::{
    background::ended,
    common::{On, World, kinds, request, say, shown},
};

async fn guarded(world: &World) -> AgentState {
    world
        .agent_with(|body| {
            let rules = json!([{"type": "requires_approval", "tool_name": "memory_insert"}]);
            body.tool_rules = Some(serde_json::from_value(rules).unwrap());
        })
        .await
}

fn insert(text: &str) -> Value {
    json!({"label": "human", "new_str": text})
}

fn verdicts(list: Value) -> Value {
    json!({"messages": [{"type": "approval", "approvals": list}]})
}

async fn answer(world: &World, agent: &AgentId, body: Value) -> mneme_core::Result<TurnResult> {
    world.core.send(&world.actor, agent, request(body)).await
}

async fn history(world: &World, agent: &AgentId) -> Vec<Value> {
    let page = Page { order: Order::Asc, ..Page::all() };
    let config = RequestConfig::default();
    shown(&world.core.list_messages(&world.actor, agent, &page, &config, None, false).await.unwrap())
}

fn call_ids(request: &Value) -> Vec<String> {
    let calls = request["tool_calls"].as_array().unwrap();
    calls.iter().map(|call| call["tool_call_id"].as_str().unwrap().to_owned()).collect()
}

async fn a_wait_outlives_its_server(database: On) {
    let world = World::on(database).await;
    let agent = guarded(&world).await;
    world.provider.reply(Reply::tool_call("memory_insert", insert("Likes tea.")).with_text("May I?"));
    let turn = world.say(&agent.id, "go").await.unwrap();
    assert_eq!(turn.stop_reason, StopReason::RequiresApproval);
    assert_eq!(kinds(&turn.messages), ["assistant_message", "approval_request_message"]);
    let asked = shown(&turn.messages).pop().unwrap();
    assert_eq!(asked["tool_call"]["name"], "memory_insert");
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.");
    let run = world.core.get_run(&world.actor, &turn.run_id).await.unwrap();
    assert_eq!((run.status, run.stop_reason), (RunStatus::Completed, Some(StopReason::RequiresApproval)));
    world.core.shutdown(std::time::Duration::ZERO).await;

    let next = world.another(|_| {}).await;
    for background in [false, true] {
        let refused = match background {
            true => next.send_async(&world.actor, &agent.id, say("hello?")).await.map(|_| ()).unwrap_err(),
            false => next.send(&world.actor, &agent.id, say("hello?")).await.map(|_| ()).unwrap_err(),
        };
        let CoreError::ConflictDetail(detail) = refused else { panic!("{refused:?}") };
        assert_eq!((&detail["code"], &detail["pending_request_id"]), (&json!("PENDING_APPROVAL"), &asked["id"]));
    }
    world.provider.reply(Reply::text("Done."));
    let yes = request(verdicts(json!([{"approve": true, "tool_call_id": asked["tool_call"]["tool_call_id"]}])));
    let turn = next.send(&world.actor, &agent.id, yes).await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_return_message", "assistant_message"]);
    let told = shown(&turn.messages);
    assert_eq!((&told[0]["step_id"], &told[0]["status"]), (&asked["step_id"], &json!("success")));
    assert_eq!((turn.stop_reason, turn.usage.step_count), (StopReason::EndTurn, 1));
    assert_eq!(next.get_agent_block(&world.actor, &agent.id, "human").await.unwrap().value, "Name: Ada.\nLikes tea.");

    // The provider reads one answer with its words and its call, and the return after it.
    let sent = world.provider.chats().pop().unwrap();
    let messages = sent.messages();
    let roles: Vec<&str> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool"]);
    assert_eq!(messages[2]["content"], "May I?");
    assert_eq!(messages[2]["tool_calls"][0]["id"], asked["tool_call"]["tool_call_id"]);
}

#[tokio::test]
async fn a_wait_outlives_its_server_on_sqlite() {
    a_wait_outlives_its_server(On::Sqlite).await;
}

#[tokio::test]
async fn a_wait_outlives_its_server_on_postgres() {
    a_wait_outlives_its_server(On::Postgres).await;
}

#[tokio::test]
async fn parallel_calls_are_decided_one_by_one_and_free_ones_do_not_wait() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    let replace = json!({"label": "persona", "old_str": "terse", "new_str": "brief"});
    let reply = Reply::tool_call("memory_insert", insert("one"))
        .and_tool_call("memory_replace", replace)
        .and_tool_call("memory_insert", insert("two"))
        .and_tool_call("memory_insert", insert("three"));
    world.provider.reply(reply);
    let turn = world.say(&agent.id, "go").await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_call_message", "tool_return_message", "approval_request_message"]);
    assert_eq!(world.block(&agent.id, "persona").await, "I am brief.");
    let ids = call_ids(&shown(&turn.messages)[2]);

    // Each call needs a verdict, and only these calls.
    for wrong in [
        json!([{"approve": true, "tool_call_id": ids[0]}]),
        json!([{"approve": true, "tool_call_id": "other"}]),
        json!([]),
    ] {
        let error = answer(&world, &agent.id, verdicts(wrong)).await.unwrap_err();
        assert!(matches!(&error, CoreError::Invalid(text) if text.contains(&ids[2])), "{error:?}");
    }
    world.provider.reply(Reply::text("I see."));
    let list = json!([
        {"type": "approval", "approve": false, "tool_call_id": ids[1], "reason": "not two"},
        {"type": "tool", "tool_return": "did it myself", "status": "success", "tool_call_id": ids[2]},
        {"type": "approval", "approve": true, "tool_call_id": ids[0]},
    ]);
    let turn = answer(&world, &agent.id, verdicts(list.clone())).await.unwrap();
    let returns = shown(&turn.messages)[0]["tool_returns"].clone();
    let statuses: Vec<&str> = returns.as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["success", "error", "success"]);
    assert_eq!(returns[1]["tool_return"], "Error: request denied. Reason: not two");
    assert_eq!(returns[2]["tool_return"], "did it myself");
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.\none");
    let sent = world.provider.chats().pop().unwrap();
    let calls = sent.messages()[2]["tool_calls"].as_array().unwrap().len();
    let answered = sent.messages().iter().filter(|message| message["role"] == "tool").count();
    assert_eq!((calls, answered), (4, 4), "one answer of the model, as it gave it");

    // A client that did not hear the answer asks again: it is told the same, and nothing happens twice.
    let chats = world.provider.chats().len();
    let again = answer(&world, &agent.id, verdicts(list)).await.unwrap();
    assert_eq!(kinds(&again.messages), kinds(&turn.messages));
    assert_eq!(shown(&again.messages)[0]["id"], shown(&turn.messages)[0]["id"]);
    assert_eq!((again.stop_reason, world.provider.chats().len()), (StopReason::EndTurn, chats));
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.\none");
    let other = json!([{"approve": true, "tool_call_id": ids[1]}]);
    let error = answer(&world, &agent.id, verdicts(other)).await.unwrap_err();
    assert!(error.to_string().contains("No tool call is currently awaiting approval"), "{error}");
    let told: Vec<String> =
        history(&world, &agent.id).await.iter().map(|one| one["message_type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        told[2..],
        [
            "tool_call_message",
            "tool_return_message",
            "approval_request_message",
            "approval_response_message",
            "tool_return_message",
            "assistant_message"
        ]
    );
}

#[tokio::test]
async fn the_older_answer_decides_all_calls_and_a_message_may_follow_it() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    world
        .provider
        .reply(Reply::tool_call("memory_insert", insert("one")).and_tool_call("memory_insert", insert("two")));
    let asked = shown(&world.say(&agent.id, "go").await.unwrap().messages).pop().unwrap();
    world.provider.reply(Reply::text("Sorry."));
    let body = json!({"messages": [
        {"type": "approval", "approve": false, "approval_request_id": asked["id"], "reason": "stop"},
        {"role": "user", "content": "Ask before you write."},
    ]});
    let turn = answer(&world, &agent.id, body).await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_return_message", "assistant_message"]);
    let sent = world.provider.chats().pop().unwrap();
    let roles: Vec<&str> = sent.messages().iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool", "user"]);
    let late = json!({"messages": [{"role": "user", "content": "x"}, {"type": "approval", "approve": true}]});
    assert!(matches!(answer(&world, &agent.id, late).await, Err(CoreError::Invalid(_))));
}

#[tokio::test]
async fn an_answer_need_not_say_that_it_is_one() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    world.provider.reply(Reply::tool_call("memory_insert", insert("Likes tea.")));
    let asked = shown(&world.say(&agent.id, "go").await.unwrap().messages).pop().unwrap();
    world.provider.reply(Reply::text("Noted."));
    let body = json!({"messages": [{"approve": true, "approval_request_id": asked["id"]}]});
    let turn = answer(&world, &agent.id, body).await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_return_message", "assistant_message"]);
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.\nLikes tea.");
}

#[tokio::test]
async fn a_provider_that_fails_after_the_approval_does_not_have_the_tool_run_twice() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    world.provider.reply(Reply::tool_call("memory_insert", insert("once")));
    let asked = shown(&world.say(&agent.id, "go").await.unwrap().messages).pop().unwrap();
    let yes = verdicts(json!([{"approve": true, "tool_call_id": asked["tool_call"]["tool_call_id"]}]));
    world.provider.reply(Reply::error(400, "code", "no"));
    assert!(matches!(answer(&world, &agent.id, yes.clone()).await, Err(CoreError::Llm(_))));
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.\nonce");
    world.provider.reply(Reply::text("There."));
    let turn = answer(&world, &agent.id, yes).await.unwrap();
    assert_eq!(shown(&turn.messages).last().unwrap()["content"], "There.");
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.\nonce");
}

async fn cancel_and_reset_end_a_wait(database: On) {
    let world = World::on(database).await;
    let agent = guarded(&world).await;
    for reset in [false, true] {
        world.provider.reply(Reply::tool_call("memory_insert", insert("never")));
        let turn = world.say(&agent.id, "go").await.unwrap();
        assert_eq!(turn.stop_reason, StopReason::RequiresApproval);
        if reset {
            world.core.reset_messages(&world.actor, &agent.id, false).await.unwrap();
        } else {
            let outcome = world.core.cancel_runs(&world.actor, &agent.id, None).await.unwrap();
            assert_eq!(outcome, [(turn.run_id.clone(), "cancelled")]);
            assert_eq!(world.core.cancel_runs(&world.actor, &agent.id, None).await.unwrap(), []);
        }
        world.provider.reply(Reply::text("Hello."));
        let turn = world.say(&agent.id, "hello").await.unwrap();
        assert_eq!(kinds(&turn.messages), ["assistant_message"]);
        let returned = world.provider.chats().pop().unwrap();
        let denied = returned.messages().iter().any(|message| message["role"] == "tool");
        assert_eq!(denied, !reset, "the model reads what became of its call, if it still knows of it");
    }
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.");
}

#[tokio::test]
async fn cancel_and_reset_on_sqlite() {
    cancel_and_reset_end_a_wait(On::Sqlite).await;
}

#[tokio::test]
async fn cancel_and_reset_on_postgres() {
    cancel_and_reset_end_a_wait(On::Postgres).await;
}

#[tokio::test]
async fn approved_calls_are_checked_again() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    world.provider.reply(Reply::tool_call("memory_insert", insert("late")));
    let asked = shown(&world.say(&agent.id, "go").await.unwrap().messages).pop().unwrap();
    let rules = json!([{"type": "max_count_per_step", "tool_name": "memory_insert", "max_count_limit": 0}]);
    let change = serde_json::from_value(json!({"tool_rules": rules})).unwrap();
    world.core.update_agent(&world.actor, &agent.id, change).await.unwrap();
    world.provider.reply(Reply::text("Then not."));
    let yes = verdicts(json!([{"approve": true, "tool_call_id": asked["tool_call"]["tool_call_id"]}]));
    let turn = answer(&world, &agent.id, yes).await.unwrap();
    let returned = &shown(&turn.messages)[0];
    assert!(returned["tool_return"].as_str().unwrap().contains("Cannot call memory_insert"), "{returned}");
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.");
}

#[tokio::test]
async fn a_token_stream_shows_the_request_piece_by_piece_under_its_stored_id() {
    let world = World::new().await;
    let agent = guarded(&world).await;
    for background in [false, true] {
        world.provider.reply(Reply::tool_call("memory_insert", insert("streamed")).with_reasoning("Is this wise?"));
        let mut body = say("go");
        (body.stream_tokens, body.background) = (Some(true), Some(background));
        let events: Vec<TurnEvent> = if background {
            let (_, events) = world.core.start_background_stream(&world.actor, &agent.id, body).await.unwrap();
            events.collect().await
        } else {
            world.core.start_stream(&world.actor, &agent.id, body).await.unwrap().collect().await
        };
        let (mut arguments, mut ids) = (String::new(), Vec::new());
        for event in &events {
            let value = match event {
                TurnEvent::Message(envelope) => serde_json::to_value(&**envelope).unwrap(),
                TurnEvent::Stored(value) => value.clone(),
                _ => continue,
            };
            assert!(value["message_type"] != "tool_call_message", "{value}");
            if value["message_type"] == "approval_request_message" {
                arguments.push_str(value["tool_call"]["arguments"].as_str().unwrap());
                ids.push(value["id"].as_str().unwrap().to_owned());
            }
        }
        assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), insert("streamed"));
        assert!(events.iter().any(|event| matches!(event, TurnEvent::Stop(StopReason::RequiresApproval))));
        ids.dedup();
        let stored = history(&world, &agent.id).await.pop().unwrap();
        assert_eq!(ids, [stored["id"].as_str().unwrap()]);
        let no = verdicts(json!([{"approve": false, "tool_call_id": stored["tool_call"]["tool_call_id"]}]));
        world.provider.reply(Reply::text("fine"));
        let run = world.core.send_async(&world.actor, &agent.id, request(no)).await.unwrap();
        assert_eq!(ended(&world, &run.id).await.stop_reason, Some(StopReason::EndTurn));
    }
}

#[tokio::test]
async fn what_a_tool_of_the_clients_gave_may_come_as_a_message_of_its_own() {
    let world = World::new().await;
    let agent = world.agent().await;
    let tools = json!([{"name": "open_door", "description": "Opens a door.", "parameters": {"type": "object"}}]);
    world.provider.reply(Reply::tool_call("open_door", json!({})));
    let body = json!({"messages": [{"role": "user", "content": "open"}], "client_tools": tools});
    let turn = answer(&world, &agent.id, body).await.unwrap();
    let asked = shown(&turn.messages).pop().unwrap();
    world.provider.reply(Reply::text("It is open."));
    let returned =
        json!({"tool_call_id": asked["tool_call"]["tool_call_id"], "tool_return": "creak", "status": "success"});
    let body = json!({"messages": [{"type": "tool_return", "tool_returns": [returned]}], "client_tools": tools});
    let turn = answer(&world, &agent.id, body).await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_return_message", "assistant_message"]);
    assert_eq!(world.provider.chats().pop().unwrap().messages().last().unwrap()["content"], "creak");
}

#[tokio::test]
async fn a_tool_of_the_clients_pauses_the_turn_for_its_return() {
    let world = World::new().await;
    let agent = world.agent().await;
    let tools = json!([{"name": "open_door", "description": "Opens a door.",
        "parameters": {"type": "object", "properties": {"door": {"type": "string"}}}}]);
    world.provider.reply(Reply::tool_call("open_door", json!({"door": "blue"})));
    let body = json!({"messages": [{"role": "user", "content": "open"}], "client_tools": tools});
    let turn = answer(&world, &agent.id, body).await.unwrap();
    assert_eq!(turn.stop_reason, StopReason::RequiresApproval);
    let offered = world.provider.chats()[0].body["tools"].as_array().unwrap().clone();
    assert!(offered.iter().any(|tool| tool["function"]["name"] == "open_door"));
    let asked = shown(&turn.messages).pop().unwrap();
    world.provider.reply(Reply::text("It is open."));
    let mut body = verdicts(json!([{"type": "tool", "tool_call_id": asked["tool_call"]["tool_call_id"],
        "tool_return": "creak", "status": "success"}]));
    body["client_tools"] = tools;
    let turn = answer(&world, &agent.id, body).await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_return_message", "assistant_message"]);
    let sent = world.provider.chats().pop().unwrap();
    assert_eq!(sent.messages().last().unwrap()["content"], "creak");
}
