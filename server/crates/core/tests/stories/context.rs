//! What is in view: how it is counted, how it is made smaller, and how its messages are edited.

use mneme_core::{CoreError, MessageSearch, SearchMode};
use mneme_domain::{
    MessageId, Order, Page,
    agent::{Include, UpdateAgent},
    request::MessageEdit,
    run::RequestConfig,
};
use mneme_tests::Reply;
use serde_json::{Value, json};

use crate::common::{On, World, shown};

#[tokio::test]
async fn the_parts_of_a_context_add_up_and_are_what_the_model_sees() {
    let world = World::new().await;
    let agent = world
        .agent_with(|body| {
            body.context_window_limit = Some(6000);
            body.tool_rules =
                Some(serde_json::from_value(json!([{"type": "run_first", "tool_name": "memory_insert"}])).unwrap());
        })
        .await;
    for n in 0..5 {
        world.say(&agent.id, &format!("zebra {n} {}", "and so on ".repeat(20))).await.unwrap();
    }
    let check = async |summed_up: bool| {
        let found = world.core.context_window(&world.actor, &agent.id).await.unwrap();
        let parts = found.num_tokens_system
            + found.num_tokens_core_memory
            + found.num_tokens_external_memory_summary
            + found.num_tokens_summary_memory
            + found.num_tokens_functions_definitions
            + found.num_tokens_messages;
        assert_eq!(found.context_window_size_current, parts);
        assert_eq!(found.context_window_size_max, 6000);
        assert_eq!((found.num_tokens_summary_memory > 0, found.summary_memory.is_some()), (summed_up, summed_up));
        assert!(found.num_tokens_messages > 0 && found.num_tokens_functions_definitions > 0);
        found
    };
    let before = check(false).await;
    assert_eq!((before.num_messages, before.num_recall_memory), (11, 11));
    // The texts are those of the prompt that is sent.
    world.say(&agent.id, "one more").await.unwrap();
    let sent = world.provider.chats().pop().unwrap();
    let system = sent.system_prompt();
    for part in [&before.system_prompt, &before.core_memory] {
        assert!(!part.is_empty() && system.contains(part.as_str()), "{part}\n{system}");
    }
    let names: Vec<&str> = before
        .functions_definitions
        .as_ref()
        .unwrap()
        .iter()
        .map(|one| one["function"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");

    world.provider.reply(Reply::text("They spoke of zebras."));
    world.core.summarize_messages(&world.actor, &agent.id, None, None).await.unwrap();
    let after = check(true).await;
    assert!(after.summary_memory.unwrap().contains("They spoke of zebras."));
    assert!(after.context_window_size_current < before.context_window_size_current);
    assert_eq!(after.num_recall_memory, 14, "nothing is deleted: two more messages, and the summary");
}

async fn a_summary_is_part_of_the_next_one(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    for round in ["first", "second"] {
        for n in 0..4 {
            world.say(&agent.id, &format!("{round} {n}")).await.unwrap();
        }
        world.provider.forget_requests();
        world.provider.reply(Reply::text(format!("what was {round}")));
        world.core.summarize_messages(&world.actor, &agent.id, None, None).await.unwrap();
    }
    let asked = world.provider.chats()[0].body.to_string();
    assert!(asked.contains("what was first"), "{asked}");
    let next = world.say(&agent.id, "go on").await.unwrap();
    assert_eq!(shown(&next.messages)[0]["content"], "echo: go on");
    let sent = world.provider.chats().pop().unwrap().body.to_string();
    assert!(sent.contains("what was second") && !sent.contains("what was first"), "{sent}");
}

#[tokio::test]
async fn a_summary_is_part_of_the_next_one_on_sqlite() {
    a_summary_is_part_of_the_next_one(On::Sqlite).await;
}

#[tokio::test]
async fn a_summary_is_part_of_the_next_one_on_postgres() {
    a_summary_is_part_of_the_next_one(On::Postgres).await;
}

#[tokio::test]
async fn an_agent_that_is_changed_while_it_sums_up_goes_on() {
    let world = World::new().await;
    let agent = world.agent().await;
    for n in 0..4 {
        world.say(&agent.id, &format!("message {n}")).await.unwrap();
    }
    let slow = std::time::Duration::from_millis(300);
    world
        .provider
        .reply(Reply::error(400, "context_length_exceeded", "This model's maximum context length is 10 tokens"))
        .reply(Reply::text("in short").after(slow))
        .reply(Reply::text("made it"));
    let turn = tokio::spawn({
        let (core, actor, agent) = (world.core.clone(), world.actor.clone(), agent.id.clone());
        async move { core.send(&actor, &agent, crate::common::say("too much")).await }
    });
    world.provider.wait_for_chats(6).await;
    let body: UpdateAgent = serde_json::from_value(json!({"name": "renamed"})).unwrap();
    world.core.update_agent(&world.actor, &agent.id, body).await.unwrap();
    let turn = turn.await.unwrap().unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "made it");
    let state = world.core.get_agent(&world.actor, &agent.id, Include::NONE).await.unwrap();
    assert_eq!(state.name, "renamed");
}

#[tokio::test]
async fn a_client_that_asks_hears_of_messages_that_leave() {
    let world = World::new().await;
    let agent = world.agent().await;
    for n in 0..4 {
        world.say(&agent.id, &format!("message {n}")).await.unwrap();
    }
    let too_long = Reply::error(400, "context_length_exceeded", "This model's maximum context length is 10 tokens");
    let turn = async |body: Value| {
        world.provider.reply(too_long.clone()).reply(Reply::text("in short")).reply(Reply::text("made it"));
        let mut all = json!({"messages": [{"role": "user", "content": "too much"}]});
        all.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let turn = world.core.send(&world.actor, &agent.id, crate::common::request(all)).await.unwrap();
        shown(&turn.messages)
    };
    let told = turn(json!({"include_compaction_messages": true})).await;
    assert_eq!(told.len(), 3, "{told:?}");
    let [event, summary, answer] = [&told[0], &told[1], &told[2]];
    assert_eq!((&event["message_type"], &event["event_type"]), (&json!("event_message"), &json!("compaction")));
    assert_eq!(event["event_data"]["trigger"], "context_window_exceeded", "{event}");
    assert_eq!(summary["message_type"], "summary_message", "{summary}");
    assert!(summary["summary"].as_str().unwrap().ends_with("In short: in short"), "{summary}");
    let stats = &summary["compaction_stats"];
    assert_eq!((&stats["messages_count_before"], &stats["trigger"]), (&json!(9), &event["event_data"]["trigger"]));
    assert!(stats["messages_count_after"].as_u64() < Some(9) && stats["context_tokens_after"].is_u64(), "{summary}");
    assert_eq!((&event["run_id"], &summary["step_id"]), (&answer["run_id"], &answer["step_id"]));
    assert_eq!(answer["content"], "made it");

    // Nobody else hears of it, nor who asks for answers alone.
    for body in
        [json!({}), json!({"include_compaction_messages": true, "include_return_message_types": ["assistant_message"]})]
    {
        let told = turn(body).await;
        assert_eq!((told.len(), &told[0]["content"]), (1, &json!("made it")), "{told:?}");
    }
}

#[tokio::test]
async fn messages_of_every_kind_are_edited_by_its_own_rule() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::text("the answer").with_reasoning("the thought"));
    world.say(&agent.id, "the question").await.unwrap();
    let page = Page { order: Order::Asc, ..Page::all() };
    let list = async || {
        let found =
            world.core.list_messages(&world.actor, &agent.id, &page, &RequestConfig::default(), None, false).await;
        shown(&found.unwrap())
    };
    let before = list().await;
    let id_of = |kind: &str| -> MessageId {
        let found = before.iter().find(|one| one["message_type"] == kind).unwrap();
        found["id"].as_str().unwrap().parse().unwrap()
    };
    let edit = async |id: &MessageId, update: Value| {
        let update: MessageEdit = serde_json::from_value(update).unwrap();
        world.core.update_message(&world.actor, &agent.id, id, update).await
    };
    for (kind, field) in [
        ("system_message", "content"),
        ("user_message", "content"),
        ("reasoning_message", "reasoning"),
        ("assistant_message", "content"),
    ] {
        let id = id_of(kind);
        edit(&id, json!({"message_type": kind, field: format!("edited {kind}")})).await.unwrap();
        let now = list().await;
        let changed = now.iter().find(|one| one["message_type"] == kind).unwrap();
        assert_eq!(changed[field], format!("edited {kind}"), "{changed}");
        // A kind that the message is not is refused and changes nothing.
        let wrong = if kind == "user_message" { "system_message" } else { "user_message" };
        let refused = edit(&id, json!({"message_type": wrong, "content": "x"})).await;
        assert!(matches!(refused, Err(CoreError::Invalid(_))), "{kind}: {refused:?}");
        assert_eq!(list().await, now);
        // Older clients leave the kind out; a reasoning and an answer may be one message, told apart by the field.
        edit(&id, json!({field: format!("again {kind}")})).await.unwrap();
        let changed = list().await.into_iter().find(|one| one["message_type"] == kind).unwrap();
        assert_eq!(changed[field], format!("again {kind}"), "{changed}");
    }
    let unread = json!([{"type": "tool_return", "tool_call_id": "c", "content": "x", "is_error": false}]);
    for (kind, content) in
        [("user_message", json!(" ")), ("user_message", unread.clone()), ("assistant_message", unread)]
    {
        let refused = edit(&id_of(kind), json!({"message_type": kind, "content": content})).await;
        assert!(matches!(refused, Err(CoreError::Invalid(_))), "{kind}: {refused:?}");
    }
    world.say(&agent.id, "next").await.unwrap();
    let sent = world.provider.chats().pop().unwrap().body.to_string();
    assert!(sent.contains("again user_message") && sent.contains("again assistant_message"), "{sent}");
    assert!(!sent.contains("the question") && !sent.contains("the answer"), "{sent}");
}

#[tokio::test]
async fn messages_of_all_agents_are_found_and_only_the_kinds_that_are_asked_for_come_back() {
    let world = World::new().await;
    let (ada, ben) = (world.agent().await, world.agent().await);
    world.say(&ada.id, "the purple zebra").await.unwrap();
    world.say(&ben.id, "a purple lion").await.unwrap();
    let search = |query: &str| MessageSearch {
        agent_id: None,
        project_id: None,
        template_id: None,
        query: Some(query.into()),
        roles: vec![mneme_domain::message::MessageRole::User],
        start: None,
        end: None,
        limit: 10,
        offset: 0,
    };
    let found = world.core.search_messages(&world.actor, search("purple"), SearchMode::Fts).await.unwrap();
    let mut of: Vec<_> = found.iter().map(|one| one.message.agent_id.clone()).collect();
    of.sort();
    let mut both = vec![ada.id.clone(), ben.id.clone()];
    both.sort();
    assert_eq!(of, both);
    let body = json!({"messages": [{"role": "user", "content": "note tea"}],
        "include_return_message_types": ["tool_return_message"]});
    let insert = json!({"label": "human", "new_str": "tea"});
    world.provider.reply(Reply::tool_call("memory_insert", insert)).reply(Reply::text("done"));
    let turn = world.core.send(&world.actor, &ada.id, crate::common::request(body)).await.unwrap();
    let kinds: Vec<Value> = shown(&turn.messages).iter().map(|one| one["message_type"].clone()).collect();
    assert_eq!(kinds, ["tool_return_message"]);
}

#[tokio::test]
async fn what_tools_gave_back_is_found_by_its_words() {
    let world = World::new().await;
    let agent = world.agent().await;
    let insert = json!({"label": "human", "new_str": "tea"});
    world.provider.reply(Reply::tool_call("memory_insert", insert)).reply(Reply::text("noted"));
    world.say(&agent.id, "I like tea").await.unwrap();
    let search = json!({"query": "edited", "roles": ["tool"]});
    // The second search does not find the first one's results.
    for _ in 0..2 {
        world.provider.reply(Reply::tool_call("conversation_search", search.clone())).reply(Reply::text("I see"));
        let turn = world.say(&agent.id, "what did the tool say?").await.unwrap();
        let returned = shown(&turn.messages)[1]["tool_return"].as_str().unwrap().to_owned();
        assert!(returned.starts_with("Showing 1 results") && returned.contains("Memory block `human`"), "{returned}");
    }
}
