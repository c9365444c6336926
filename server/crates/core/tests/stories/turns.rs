//! Turns, told through the core's public door: a scripted model, the real sandbox, a real database.

use crate::common::{On, World, kinds, request, say, shown};
use futures::StreamExt;
use mneme_core::{CoreError, RunFilter, TurnEvent};
use mneme_domain::{
    Order, Page,
    run::{RequestConfig, RunStatus, StopReason},
};
use mneme_tests::Reply;
use serde_json::{Value, json};

async fn an_agent_answers_and_remembers_what_was_said(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    world.provider.reply(Reply::text("Hello, Ada.").usage(100, 4));
    let turn = world.say(&agent.id, "Hi!").await.unwrap();
    assert_eq!(kinds(&turn.messages), ["assistant_message"]);
    assert_eq!(shown(&turn.messages)[0]["content"], "Hello, Ada.");
    assert_eq!(turn.stop_reason, StopReason::EndTurn);
    assert_eq!((turn.usage.prompt_tokens, turn.usage.completion_tokens, turn.usage.step_count), (100, 4, 1));

    world.say(&agent.id, "And again").await.unwrap();
    let sent = world.provider.chats();
    let roles: Vec<_> = sent[1].messages().iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert!(sent[0].system_prompt().contains("Name: Ada."), "{}", sent[0].system_prompt());

    let page = Page { order: Order::Asc, ..Page::all() };
    let history =
        world.core.list_messages(&world.actor, &agent.id, &page, &RequestConfig::default(), None, false).await.unwrap();
    assert_eq!(
        kinds(&history),
        ["system_message", "user_message", "assistant_message", "user_message", "assistant_message"]
    );
    let run = world.core.get_run(&world.actor, &turn.run_id).await.unwrap();
    assert_eq!((run.status, run.stop_reason), (RunStatus::Completed, Some(StopReason::EndTurn)));
    assert!(run.total_duration_ns.unwrap() > 0 && run.completed_at.unwrap() >= run.created_at);
}

#[tokio::test]
async fn an_agent_answers_on_sqlite() {
    an_agent_answers_and_remembers_what_was_said(On::Sqlite).await;
}

#[tokio::test]
async fn an_agent_answers_on_postgres() {
    an_agent_answers_and_remembers_what_was_said(On::Postgres).await;
}

async fn an_agent_edits_its_memory_and_sees_the_edit_in_the_same_turn(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    world
        .provider
        .reply(Reply::tool_call("memory_insert", json!({"label": "human", "new_str": "Loves tea."})))
        .reply(Reply::text("Noted."));
    let turn = world.say(&agent.id, "I love tea").await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_call_message", "tool_return_message", "assistant_message"]);
    let shown = shown(&turn.messages);
    assert_eq!(shown[1]["status"], "success", "{}", shown[1]);
    assert_eq!(shown[0]["tool_call"]["tool_call_id"], shown[1]["tool_call_id"]);
    assert_ne!(shown[0]["step_id"], shown[2]["step_id"]);
    assert_eq!(shown[0]["step_id"], shown[1]["step_id"]);
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.\nLoves tea.");
    let second = &world.provider.chats()[1];
    assert!(second.system_prompt().contains("Loves tea."), "the next step sees the new memory");
    assert_eq!(second.messages().last().unwrap()["role"], "tool");
    let metrics = world.core.run_metrics(&world.actor, &turn.run_id).await.unwrap();
    assert_eq!(metrics.num_steps, Some(2));
    assert_eq!(metrics.tools_used.map(|tools| tools.len()), Some(1));
}

#[tokio::test]
async fn memory_edits_on_sqlite() {
    an_agent_edits_its_memory_and_sees_the_edit_in_the_same_turn(On::Sqlite).await;
}

#[tokio::test]
async fn memory_edits_on_postgres() {
    an_agent_edits_its_memory_and_sees_the_edit_in_the_same_turn(On::Postgres).await;
}

#[tokio::test]
async fn what_a_model_does_wrong_goes_back_to_it_and_the_next_message_works() {
    let world = World::new().await;
    let agent = world.agent().await;
    for (reply, hint) in [
        (Reply::raw_tool_call("memory_insert", "{\"label\": "), "not valid JSON"),
        (Reply::raw_tool_call("memory_insert", "[1]"), "JSON object"),
        (Reply::tool_call("memory_insert", json!({"wrong": 1})), "label"),
        (Reply::tool_call("no_such_tool", json!({})), "Cannot call no_such_tool"),
        (Reply::tool_call("memory_insert", json!({"label": "nope", "new_str": "x"})), "nope"),
    ] {
        world.provider.reply(reply).reply(Reply::text("recovered"));
        let turn = world.say(&agent.id, "go").await.unwrap();
        let shown = shown(&turn.messages);
        assert_eq!(shown[1]["status"], "error", "{hint}: {}", shown[1]);
        assert!(shown[1]["tool_return"].as_str().unwrap().contains(hint), "{hint}: {}", shown[1]);
        assert_eq!(shown[2]["content"], "recovered");
    }
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.");
}

#[tokio::test]
async fn an_empty_answer_is_asked_for_again_and_then_ends_the_turn() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::empty().usage(10, 2)).reply(Reply::text("second try").usage(11, 3));
    let turn = world.say(&agent.id, "one").await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "second try");
    let usage = turn.usage;
    assert_eq!(
        (usage.prompt_tokens, usage.completion_tokens, usage.step_count),
        (21, 5, 1),
        "both have to be paid for"
    );
    for _ in 0..3 {
        world.provider.reply(Reply::empty());
    }
    let turn = world.say(&agent.id, "two").await.unwrap();
    assert_eq!((turn.stop_reason, turn.messages.len()), (StopReason::InvalidLlmResponse, 0));
    world.provider.reply(Reply::text("fine"));
    let turn = world.say(&agent.id, "three").await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "fine");
}

#[tokio::test]
async fn a_provider_that_fails_leaves_the_agent_as_it_was() {
    let world = World::new().await;
    let agent = world.agent().await;
    for (status, kind, answer) in
        [(400, "llm_error", 502), (401, "llm_authentication", 401), (429, "llm_rate_limit", 429)]
    {
        world.provider.reply_to("doomed", Reply::error(status, "code", "the provider's words"));
        let error = world.say(&agent.id, "doomed").await.unwrap_err();
        let CoreError::Llm(failure) = error else { panic!("{error:?}") };
        assert_eq!((failure.kind, failure.status), (kind, answer));
        assert!(failure.detail.contains("the provider's words") && failure.detail.contains(&status.to_string()));
        assert!(!failure.detail.contains("test-key"));
    }
    let state = world.core.get_agent(&world.actor, &agent.id, mneme_domain::agent::Include::NONE).await.unwrap();
    assert_eq!(state.message_ids.len(), 1);
    let failed = RunFilter { statuses: vec![RunStatus::Failed], ..RunFilter::default() };
    let runs = world.core.list_runs(&world.actor, failed, &Page::all()).await.unwrap();
    assert_eq!(runs.len(), 3);
    assert_eq!(runs[0].stop_reason, Some(StopReason::LlmApiError));
    assert!(runs[0].metadata.as_ref().unwrap()["error"]["message"].as_str().unwrap().contains("400"));
    assert_eq!(kinds(&world.say(&agent.id, "still there?").await.unwrap().messages), ["assistant_message"]);
}

#[tokio::test]
async fn a_limit_of_no_tokens_is_no_limit() {
    let world = World::new().await;
    for (limit, sent) in [(Some(0), Value::Null), (None, Value::Null), (Some(7), json!(7))] {
        let agent = world.agent_with(|body| body.max_tokens = limit).await;
        world.provider.reply(Reply::text("short"));
        world.say(&agent.id, "hello").await.unwrap();
        assert_eq!(world.provider.chats().pop().unwrap().body["max_tokens"], sent);
    }
}

#[tokio::test]
async fn the_step_limit_ends_a_turn() {
    let world = World::new().await;
    let agent = world.agent().await;
    for n in 0..4 {
        let arguments = json!({"label": "human", "new_str": format!("fact {n}")});
        world.provider.reply(Reply::tool_call("memory_insert", arguments));
    }
    let body = json!({"messages": [{"role": "user", "content": "go"}], "max_steps": 2});
    let turn = world.core.send(&world.actor, &agent.id, request(body)).await.unwrap();
    assert_eq!((turn.stop_reason, turn.usage.step_count), (StopReason::MaxSteps, 2));
    let human = world.block(&agent.id, "human").await;
    assert!(human.contains("fact 1") && !human.contains("fact 2"), "{human}");
}

#[tokio::test]
async fn tokens_stream_under_the_id_of_the_stored_message() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::text("one two three four"));
    let mut body = say("count");
    body.stream_tokens = Some(true);
    let mut stream = world.core.start_stream(&world.actor, &agent.id, body).await.unwrap();
    let (mut text, mut ids, mut tail) = (String::new(), Vec::new(), Vec::new());
    while let Some(event) = stream.next().await {
        match event {
            TurnEvent::Message(envelope) => {
                let value = serde_json::to_value(&*envelope).unwrap();
                text.push_str(value["content"].as_str().unwrap());
                ids.push(value["id"].as_str().unwrap().to_owned());
            }
            other => tail.push(format!("{other:?}")),
        }
    }
    assert_eq!(text, "one two three four");
    assert!(ids.len() > 1);
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert!(tail[0].starts_with("Stop(EndTurn)") && tail[1].starts_with("Usage("), "{tail:?}");
    let newest = Page { before: None, after: None, limit: 1, order: Order::Desc };
    let stored = world
        .core
        .list_messages(&world.actor, &agent.id, &newest, &RequestConfig::default(), None, false)
        .await
        .unwrap();
    assert_eq!(shown(&stored)[0]["id"].as_str().unwrap(), ids[0]);
}

#[tokio::test]
async fn thoughts_of_an_answer_that_is_asked_for_again_are_not_those_of_the_next() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::empty().with_reasoning("first")).reply(Reply::text("done").with_reasoning("second"));
    let mut body = say("think");
    body.stream_tokens = Some(true);
    let stream = world.core.start_stream(&world.actor, &agent.id, body).await.unwrap();
    let told: Vec<TurnEvent> = stream.collect().await;
    let page = Page { before: None, after: None, limit: 1, order: Order::Desc };
    let config = RequestConfig::default();
    let stored = world.core.list_messages(&world.actor, &agent.id, &page, &config, None, false).await.unwrap();
    let stored = shown(&stored);
    let mut thought = String::new();
    for event in &told {
        let TurnEvent::Message(envelope) = event else { continue };
        let envelope = serde_json::to_value(&**envelope).unwrap();
        if envelope["id"] == stored[0]["id"] {
            thought.push_str(envelope["reasoning"].as_str().unwrap_or_default());
        }
    }
    assert_eq!((thought.as_str(), &stored[0]["reasoning"]), ("second", &json!("second")), "{told:?}");
}

#[tokio::test]
async fn thoughts_that_are_hidden_stand_in_a_token_stream_where_they_stand_in_the_list() {
    let world = World::with(On::Sqlite, |config| {
        config.providers[0].name = "anthropic".into();
        config.providers[0].kind = mneme_llm::ProviderKind::Anthropic;
    })
    .await;
    world.provider.models(&["claude-sonnet-4-20250514"]);
    let agent = world.agent_with(|body| body.model = Some("anthropic/claude-sonnet-4-20250514".into())).await;
    let block = |index: u64, block: Value, delta: Value| {
        [
            json!({"type": "content_block_start", "index": index, "content_block": block}),
            json!({"type": "content_block_delta", "index": index, "delta": delta}),
            json!({"type": "content_block_stop", "index": index}),
        ]
    };
    let hidden = |data: &str| json!({"type": "redacted_thinking", "data": data});
    let events = [
        vec![json!({"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}})],
        block(0, json!({"type": "thinking", "thinking": ""}), json!({"type": "thinking_delta", "thinking": "hm"}))
            .into(),
        block(1, hidden("one"), json!({"type": "ping"})).into(),
        block(2, hidden("two"), json!({"type": "ping"})).into(),
        block(3, json!({"type": "text", "text": ""}), json!({"type": "text_delta", "text": "hello"})).into(),
        vec![
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
            json!({"type": "message_stop"}),
        ],
    ];
    let sse: String = events.iter().flatten().map(|event| format!("data: {event}\n\n")).collect();
    world.provider.raw_sse(sse);
    let mut body = say("think");
    body.stream_tokens = Some(true);
    let stream = world.core.start_stream(&world.actor, &agent.id, body).await.unwrap();
    let told: Vec<TurnEvent> = stream.collect().await;
    let place = |envelope: &Value| {
        (envelope["message_type"].clone(), envelope["otid"].clone(), envelope["hidden_reasoning"].clone())
    };
    let streamed: Vec<_> = told
        .iter()
        .filter_map(|event| match event {
            TurnEvent::Message(envelope) => Some(place(&serde_json::to_value(&**envelope).unwrap())),
            _ => None,
        })
        .collect();
    let page = Page { before: None, after: None, limit: 1, order: Order::Desc };
    let config = RequestConfig::default();
    let stored = world.core.list_messages(&world.actor, &agent.id, &page, &config, None, false).await.unwrap();
    assert_eq!(streamed, shown(&stored).iter().map(place).collect::<Vec<_>>());
    assert_eq!(
        kinds(&stored),
        ["reasoning_message", "hidden_reasoning_message", "hidden_reasoning_message", "assistant_message"]
    );
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_run_and_the_model_call() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::text("a b c d e f").stall_after(2));
    let mut body = say("talk");
    body.stream_tokens = Some(true);
    let mut stream = world.core.start_stream(&world.actor, &agent.id, body).await.unwrap();
    let run = stream.run_id().clone();
    assert!(matches!(stream.next().await, Some(TurnEvent::Message(_))));
    drop(stream);
    world.provider.wait_for_disconnects(1).await;
    let ended = async {
        loop {
            let run = world.core.get_run(&world.actor, &run).await.unwrap();
            if run.status.is_terminal() {
                break run;
            }
            tokio::task::yield_now().await;
        }
    };
    let run = tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.unwrap();
    assert_eq!((run.status, run.stop_reason), (RunStatus::Cancelled, Some(StopReason::Cancelled)));
    assert_eq!(kinds(&world.say(&agent.id, "again").await.unwrap().messages), ["assistant_message"]);
}

#[tokio::test]
async fn a_long_conversation_is_summed_up_and_stays_searchable() {
    let world = World::new().await;
    let agent = world.agent_with(|body| body.context_window_limit = Some(4000)).await;
    for n in 0..6 {
        world.say(&agent.id, &format!("the zebra number {n}")).await.unwrap();
    }
    world.provider.reply(Reply::text("big").usage(5000, 1));
    world.say(&agent.id, "make it overflow").await.unwrap();
    world.provider.reply_to("about to leave your view", Reply::text("They counted zebras."));
    world.say(&agent.id, "next").await.unwrap();
    let state = world.core.get_agent(&world.actor, &agent.id, mneme_domain::agent::Include::NONE).await.unwrap();
    assert!(state.message_ids.len() < 13, "{}", state.message_ids.len());
    let last = world.provider.chats().pop().unwrap();
    assert!(last.messages()[1]["content"].to_string().contains("They counted zebras."), "{}", last.messages()[1]);
    world
        .provider
        .reply(Reply::tool_call("conversation_search", json!({"query": "zebra number 0"})))
        .reply(Reply::text("found"));
    let turn = world.say(&agent.id, "where?").await.unwrap();
    assert!(shown(&turn.messages)[1]["tool_return"].as_str().unwrap().contains("the zebra number 0"));
}

#[tokio::test]
async fn a_provider_that_finds_the_context_too_long_gets_a_shorter_one() {
    let world = World::new().await;
    let agent = world.agent().await;
    for n in 0..4 {
        world.say(&agent.id, &format!("message {n}")).await.unwrap();
    }
    world
        .provider
        .reply(Reply::error(400, "context_length_exceeded", "This model's maximum context length is 10 tokens"))
        .reply(Reply::error(500, "server_error", "no summary either"))
        .reply(Reply::error(500, "server_error", "no summary either"))
        .reply(Reply::error(500, "server_error", "no summary either"))
        .reply(Reply::text("made it"));
    let turn = world.say(&agent.id, "too much").await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "made it");
}

#[tokio::test]
async fn two_agents_editing_one_block_lose_nothing() {
    let world = World::new().await;
    let first = world.agent().await;
    let shared = first.blocks.iter().find(|block| block.label.as_deref() == Some("human")).unwrap().id.clone();
    let second = world
        .agent_with(|body| {
            body.memory_blocks = None;
            body.block_ids = Some(vec![shared]);
        })
        .await;
    let rounds = 10;
    let edit = |agent: mneme_domain::AgentId, who: &'static str| {
        let world = &world;
        async move {
            for n in 0..rounds {
                let key = format!("{who}{n};");
                let arguments = json!({"label": "human", "new_str": key});
                world.provider.reply_to(&key, Reply::tool_call("memory_insert", arguments));
                world.say(&agent, &key).await.unwrap();
            }
        }
    };
    tokio::join!(edit(first.id.clone(), "first"), edit(second.id.clone(), "second"));
    let value = world.block(&first.id, "human").await;
    for n in 0..rounds {
        assert!(value.contains(&format!("first{n};")) && value.contains(&format!("second{n};")), "{value}");
    }
}

#[tokio::test]
async fn input_that_says_nothing_is_refused() {
    let world = World::new().await;
    let agent = world.agent().await;
    for (body, expected) in [
        (json!({"messages": []}), "Messages must not be empty"),
        (json!({"messages": [{"role": "user", "content": "  "}]}), "Message content is empty or invalid"),
        (
            json!({"messages": [{"role": "user", "content": [
                {"type": "tool_return", "tool_call_id": "c", "content": "x", "is_error": false},
                {"type": "reasoning", "is_native": true, "reasoning": "hm"}]}]}),
            "Message content is empty or invalid",
        ),
        (json!({}), "Field required"),
        (json!({"messages": [{"role": "robot", "content": "x"}]}), "robot"),
        (json!({"messages": [{"role": "user"}]}), "Field required"),
        (json!({"messages": [{"type": "approval", "approve": true}]}), "awaiting approval"),
    ] {
        let error = world.core.send(&world.actor, &agent.id, request(body)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert_eq!(world.provider.chats().len(), 0);
}

async fn one_huge_message_is_shown_shortened_and_kept_whole(database: On) {
    let world = World::on(database).await;
    let agent = world.agent_with(|body| body.context_window_limit = Some(4000)).await;
    let huge = format!("begin {} end", "words and more words ".repeat(3000));
    world.provider.reply(Reply::text("read it"));
    let turn = world.say(&agent.id, &huge).await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "read it");
    let sent = world.provider.chats().pop().unwrap();
    let text = sent.messages().last().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(text.starts_with("begin") && text.ends_with("end") && text.len() < 12_000, "{}", text.len());
    world.provider.reply(Reply::text("and on"));
    assert_eq!(kinds(&world.say(&agent.id, "next").await.unwrap().messages), ["assistant_message"]);
    let state = world.core.context_window(&world.actor, &agent.id).await.unwrap();
    assert!(state.context_window_size_current > 0);
}

#[tokio::test]
async fn a_huge_message_on_sqlite() {
    one_huge_message_is_shown_shortened_and_kept_whole(On::Sqlite).await;
}

#[tokio::test]
async fn a_huge_message_on_postgres() {
    one_huge_message_is_shown_shortened_and_kept_whole(On::Postgres).await;
}

#[tokio::test]
async fn a_model_that_cannot_see_gets_words_for_images() {
    let world = World::new().await;
    let agent = world.agent().await;
    let png = "iVBORw0KGgo=";
    world
        .provider
        .reply(Reply::error(400, "invalid_request_error", "This model does not support image input"))
        .reply(Reply::text("I cannot see it"));
    let body = crate::common::request(json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "what is this?"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}},
    ]}]}));
    let turn = world.core.send(&world.actor, &agent.id, body).await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "I cannot see it");
    let chats = world.provider.chats();
    assert!(chats[0].body.to_string().contains(png));
    let retried = chats[1].body.to_string();
    assert!(!retried.contains(png) && retried.contains("cannot see"), "{retried}");
}

#[tokio::test]
async fn images_do_not_end_the_conversation_with_a_model_that_cannot_see_them_any_more() {
    let world = World::new().await;
    let agent = world.agent().await;
    let png = "iVBORw0KGgo=";
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}});
    world.provider.reply(Reply::text("A dot."));
    let body = request(json!({"messages": [{"role": "user", "content": [image]}]}));
    world.core.send(&world.actor, &agent.id, body).await.unwrap();
    for (status, code, words) in [
        (400, "invalid_image_format", "You uploaded an unsupported file. Please make sure that it is a png."),
        (400, "invalid_request_error", "messages[3].content should be a string"),
        (404, "404", "No endpoints found that support image input"),
        (500, "server_error", "image input is not supported - you may need to provide the mmproj"),
    ] {
        world.provider.script(move |asked| {
            let refused = asked.body.to_string().contains(png);
            Some(if refused { Reply::error(status, code, words) } else { Reply::text("I am here.") })
        });
        let turn = world.say(&agent.id, "Are you there?").await.unwrap();
        assert_eq!(shown(&turn.messages)[0]["content"], "I am here.", "{words}");
    }
    world.provider.script(|_| Some(Reply::error(400, "bad", "must be a string")));
    world.provider.forget_requests();
    let other = world.agent().await;
    world.say(&other.id, "hello").await.unwrap_err();
    assert_eq!(world.provider.chats().len(), 1, "there is no image to leave out");
}
