//! Tool rules in whole turns. The rules themselves have a table of their own (`turn::rules`).

use mneme_domain::{agent::AgentState, run::StopReason};
use mneme_tests::Reply;
use serde_json::{Value, json};

use crate::common::{World, request, shown};

async fn ruled(world: &World, rules: Value) -> AgentState {
    world.agent_with(|body| body.tool_rules = Some(serde_json::from_value(rules).unwrap())).await
}

fn insert(text: &str) -> Reply {
    Reply::tool_call("memory_insert", json!({"label": "human", "new_str": text}))
}

#[tokio::test]
async fn the_first_tool_is_forced_and_its_preset_arguments_win() {
    let world = World::new().await;
    let preset = json!({"label": "persona"});
    let agent = ruled(&world, json!([{"type": "run_first", "tool_name": "memory_insert", "args": preset}])).await;
    world.provider.reply(insert("Hums.")).reply(Reply::text("ok"));
    let turn = world.say(&agent.id, "go").await.unwrap();
    let told = shown(&turn.messages);
    let arguments: Value = serde_json::from_str(told[0]["tool_call"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments["label"], "persona", "what is stored is what ran");
    assert_eq!(world.block(&agent.id, "persona").await, "I am terse.\nHums.");
    let chats = world.provider.chats();
    assert_eq!(chats[0].body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(chats[0].body["tool_choice"]["function"]["name"], "memory_insert");
    assert!(chats[1].body["tools"].as_array().unwrap().len() > 1);
    assert_eq!(chats[1].body["tool_choice"], "auto");
}

#[tokio::test]
async fn a_quota_counts_calls_of_one_answer_too() {
    let world = World::new().await;
    let rule = json!([{"type": "max_count_per_step", "tool_name": "memory_insert", "max_count_limit": 1}]);
    let agent = ruled(&world, rule).await;
    let two = insert("one").and_tool_call("memory_insert", json!({"label": "human", "new_str": "two"}));
    world.provider.reply(two).reply(Reply::text("ok"));
    let turn = world.say(&agent.id, "go").await.unwrap();
    let returns = &shown(&turn.messages)[1]["tool_returns"];
    assert_eq!((&returns[0]["status"], &returns[1]["status"]), (&json!("success"), &json!("error")));
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.\none");
}

#[tokio::test]
async fn a_turn_does_not_end_before_what_is_required() {
    let world = World::new().await;
    let rules = json!([
        {"type": "required_before_exit", "tool_name": "memory_insert"},
        {"type": "exit_loop", "tool_name": "memory_replace"},
    ]);
    let agent = ruled(&world, rules).await;
    let replace = json!({"label": "persona", "old_str": "terse", "new_str": "brief"});
    world
        .provider
        .reply(Reply::text("I am done."))
        .reply(Reply::tool_call("memory_replace", replace))
        .reply(insert("fact"))
        .reply(Reply::text("Now I am."));
    let turn = world.say(&agent.id, "go").await.unwrap();
    assert_eq!((turn.stop_reason, turn.usage.step_count), (StopReason::EndTurn, 4));
    let chats = world.provider.chats();
    let told = chats[1].messages().last().unwrap()["content"].to_string();
    assert!(told.contains("memory_insert"), "the model is told what is missing: {told}");
    assert_eq!((&chats[0].body["tool_choice"], &chats[1].body["tool_choice"]), (&json!("auto"), &json!("required")));
    assert_eq!(chats[3].body["tool_choice"], "auto");

    world.provider.reply(Reply::text("no")).reply(Reply::text("no"));
    let body = json!({"messages": [{"role": "user", "content": "go"}], "max_steps": 2});
    let turn = world.core.send(&world.actor, &agent.id, request(body)).await.unwrap();
    assert_eq!(turn.stop_reason, StopReason::MaxSteps);
}

#[tokio::test]
async fn what_was_called_before_a_wait_counts_after_it() {
    let world = World::new().await;
    let rules = json!([
        {"type": "run_first", "tool_name": "memory_replace"},
        {"type": "constrain_child_tools", "tool_name": "memory_insert", "children": ["conversation_search"]},
        {"type": "requires_approval", "tool_name": "memory_insert"},
        {"type": "requires_approval", "tool_name": "memory_insert"},
    ]);
    let agent = ruled(&world, rules).await;
    assert_eq!(agent.tool_rules.len(), 3, "no rule is kept twice");
    let replace = json!({"label": "persona", "old_str": "terse", "new_str": "brief"});
    world.provider.reply(Reply::tool_call("memory_replace", replace)).reply(insert("fact"));
    let asked = shown(&world.say(&agent.id, "go").await.unwrap().messages).pop().unwrap();
    world.provider.reply(Reply::text("ok"));
    let verdict = json!({"approve": true, "tool_call_id": asked["tool_call"]["tool_call_id"]});
    let body = request(json!({"messages": [{"type": "approval", "approvals": [verdict]}]}));
    world.core.send(&world.actor, &agent.id, body).await.unwrap();
    let offered = world.provider.chats().pop().unwrap().body["tools"].clone();
    assert_eq!(offered.as_array().unwrap().len(), 1, "{offered}");
    assert_eq!(offered[0]["function"]["name"], "conversation_search");
}
