//! Every architecture: its tools, its prompt, how it is made to act, what its history begins with.

use mneme_domain::{
    Order, Page,
    agent::{AgentState, AgentType},
    run::{RequestConfig, StopReason},
};
use mneme_tests::Reply;
use serde_json::{Value, json};

use crate::common::{World, kinds, request, shown};

async fn agent_of(world: &World, agent_type: AgentType) -> AgentState {
    world.agent_with(|body| body.agent_type = Some(agent_type)).await
}

fn tools_of(agent: &AgentState) -> Vec<String> {
    let mut names: Vec<String> = agent.tools.iter().filter_map(|tool| tool.name.clone()).collect();
    names.sort();
    names
}

/// What the agent's first request to its model looks like.
async fn first_request(world: &World, agent: &AgentState, reply: Reply) -> Value {
    world.provider.forget_requests();
    world.provider.reply(reply);
    world.say(&agent.id, "hello").await.unwrap();
    world.provider.chats()[0].body.clone()
}

#[tokio::test]
async fn each_architecture_has_its_tools_and_its_way_to_act() {
    let world = World::new().await;
    let spoken = || Reply::tool_call("send_message", json!({"message": "hi"}));
    let core_memory = [
        "archival_memory_insert",
        "archival_memory_search",
        "conversation_search",
        "core_memory_append",
        "core_memory_replace",
        "send_message",
    ];
    let cases: [(AgentType, &[&str], bool, &str); 7] = [
        (AgentType::LettaV1Agent, &["conversation_search", "memory_insert", "memory_replace"], false, "own"),
        (AgentType::MemgptAgent, &core_memory, true, "send_message"),
        (AgentType::SplitThreadAgent, &core_memory, true, "send_message"),
        (
            AgentType::MemgptV2Agent,
            &["conversation_search", "memory_insert", "memory_replace", "send_message"],
            true,
            "send_message",
        ),
        (AgentType::ReactAgent, &[], false, "goal"),
        (AgentType::WorkflowAgent, &[], false, "strictly in the order"),
        (AgentType::VoiceConvoAgent, &["conversation_search", "send_message"], false, "aloud"),
    ];
    for (agent_type, tools, acts, prompt) in cases {
        let agent = agent_of(&world, agent_type).await;
        assert_eq!(tools_of(&agent), tools, "{agent_type:?}");
        let reply = if acts { spoken() } else { Reply::text("hi") };
        let sent = first_request(&world, &agent, reply).await;
        let system = sent["messages"][0]["content"].as_str().unwrap();
        assert!(system.contains(prompt), "{agent_type:?}: {system}");
        let must = sent.get("tool_choice").and_then(Value::as_str) == Some("required");
        assert_eq!(must, acts, "{agent_type:?}: {}", sent["tool_choice"]);
    }
}

#[tokio::test]
async fn an_older_agent_begins_with_an_exchange_of_its_own_unless_told_not_to() {
    let world = World::new().await;
    let page = Page { order: Order::Asc, ..Page::all() };
    let plain = RequestConfig::default();
    let raw = RequestConfig { use_assistant_message: false, ..RequestConfig::default() };
    for agent_type in [AgentType::MemgptAgent, AgentType::MemgptV2Agent, AgentType::SplitThreadAgent] {
        let agent = agent_of(&world, agent_type).await;
        let read = async |config: &RequestConfig| {
            world.core.list_messages(&world.actor, &agent.id, &page, config, None, false).await.unwrap()
        };
        assert_eq!(
            kinds(&read(&plain).await),
            ["system_message", "reasoning_message", "assistant_message", "user_message"]
        );
        let shown = shown(&read(&raw).await);
        let order: Vec<&str> = shown.iter().map(|one| one["message_type"].as_str().unwrap()).collect();
        assert_eq!(
            order,
            ["system_message", "reasoning_message", "tool_call_message", "tool_return_message", "user_message"]
        );
        assert_eq!(shown[2]["tool_call"]["tool_call_id"], shown[3]["tool_call_id"]);
        let login: Value = serde_json::from_str(shown[4]["content"].as_str().unwrap()).unwrap();
        assert_eq!(login["type"], "login");

        let empty = world
            .agent_with(|body| {
                body.agent_type = Some(agent_type);
                body.initial_message_sequence = Some(Vec::new());
            })
            .await;
        assert_eq!(empty.message_ids.len(), 1);
        // A reset may bring it back.
        let reset = world.core.reset_messages(&world.actor, &empty.id, true).await.unwrap();
        assert_eq!(reset.message_ids.len(), 4);
    }
    assert_eq!(agent_of(&world, AgentType::LettaV1Agent).await.message_ids.len(), 1);
}

#[tokio::test]
async fn given_first_messages_are_in_the_agents_own_manner() {
    let world = World::new().await;
    let given = json!([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]);
    for (agent_type, count) in [(AgentType::LettaV1Agent, 3), (AgentType::MemgptV2Agent, 4)] {
        let agent = world
            .agent_with(|body| {
                body.agent_type = Some(agent_type);
                body.initial_message_sequence = Some(serde_json::from_value(given.clone()).unwrap());
            })
            .await;
        assert_eq!(agent.message_ids.len(), count);
        let page = Page { order: Order::Asc, ..Page::all() };
        let listed = world
            .core
            .list_messages(&world.actor, &agent.id, &page, &RequestConfig::default(), None, false)
            .await
            .unwrap();
        assert_eq!(kinds(&listed), ["system_message", "user_message", "assistant_message"]);
        assert_eq!(shown(&listed)[2]["content"], "yo");
        let reply = match agent_type {
            AgentType::LettaV1Agent => Reply::text("hey"),
            _ => Reply::tool_call("send_message", json!({"message": "hey"})),
        };
        let sent = first_request(&world, &agent, reply).await;
        assert!(sent["messages"].to_string().contains("yo"), "{sent}");
    }
}

#[tokio::test]
async fn the_answering_tool_and_its_argument_may_be_others() {
    let world = World::new().await;
    let agent = world
        .agent_with(|body| {
            body.agent_type = Some(AgentType::MemgptAgent);
            body.include_base_tools = Some(false);
            body.tools = Some(vec!["core_memory_append".into()]);
            body.tool_rules = Some(
                serde_json::from_value(json!([{"type": "exit_loop", "tool_name": "core_memory_append"}])).unwrap(),
            );
        })
        .await;
    let say = |extra: Value| {
        let mut body = json!({"messages": [{"role": "user", "content": "go"}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        request(body)
    };
    let named = json!({"assistant_message_tool_name": "core_memory_append", "assistant_message_tool_kwarg": "content"});
    for (extra, expected) in [
        (named.clone(), vec!["assistant_message"]),
        (json!({}), vec!["tool_call_message", "tool_return_message"]),
        (
            json!({"use_assistant_message": false, "assistant_message_tool_name": "core_memory_append"}),
            vec!["tool_call_message", "tool_return_message"],
        ),
    ] {
        world
            .provider
            .reply(Reply::tool_call("core_memory_append", json!({"label": "human", "content": "hello there"})));
        let turn = world.core.send(&world.actor, &agent.id, say(extra.clone())).await.unwrap();
        assert_eq!(kinds(&turn.messages), expected, "{extra}");
        if expected.len() == 1 {
            assert_eq!(shown(&turn.messages)[0]["content"], "hello there");
        }
        assert!(matches!(turn.stop_reason, StopReason::ToolRule | StopReason::EndTurn));
    }
    // A broken answer is no answer: it is seen with what became of it.
    world
        .provider
        .reply(Reply::raw_tool_call("core_memory_append", r#"{"label": "human", "content": "hel"#))
        .reply(Reply::tool_call("core_memory_append", json!({"label": "human", "content": "hello again"})));
    let turn = world.core.send(&world.actor, &agent.id, say(named)).await.unwrap();
    assert_eq!(kinds(&turn.messages), ["tool_call_message", "tool_return_message", "assistant_message"]);
    assert_eq!(shown(&turn.messages)[1]["status"], "error");
}

#[tokio::test]
async fn a_workflow_follows_its_rules_from_the_first_tool_to_the_last() {
    let world = World::new().await;
    let rules = json!([
        {"type": "run_first", "tool_name": "conversation_search"},
        {"type": "constrain_child_tools", "tool_name": "conversation_search", "children": ["core_memory_append", "send_message"]},
        {"type": "exit_loop", "tool_name": "core_memory_append"},
        {"type": "exit_loop", "tool_name": "send_message"},
    ]);
    let agent = world
        .agent_with(|body| {
            body.agent_type = Some(AgentType::WorkflowAgent);
            body.tools = Some(["conversation_search", "core_memory_append", "send_message"].map(String::from).to_vec());
            body.tool_rules = Some(serde_json::from_value(rules).unwrap());
        })
        .await;
    world
        .provider
        .reply(Reply::tool_call("conversation_search", json!({"query": "tea"})))
        .reply(Reply::tool_call("core_memory_append", json!({"label": "human", "content": "Likes tea."})));
    let turn = world.say(&agent.id, "go").await.unwrap();
    assert_eq!((turn.stop_reason, turn.usage.step_count), (StopReason::ToolRule, 2));
    let chats = world.provider.chats();
    let offered: Vec<Vec<String>> = chats.iter().map(|chat| chat.tool_names()).collect();
    assert_eq!(
        offered,
        [vec!["conversation_search".to_owned()], vec!["core_memory_append".into(), "send_message".into()]]
    );
}

#[tokio::test]
async fn a_speaking_agent_keeps_a_fixed_number_of_messages_in_view() {
    let world = World::new().await;
    let agent = agent_of(&world, AgentType::VoiceConvoAgent).await;
    for n in 0..20 {
        world.say(&agent.id, &format!("the zebra number {n}")).await.unwrap();
    }
    let most = world.provider.chats().iter().map(|chat| chat.messages().len()).max().unwrap();
    assert!(most <= 31, "{most}");
    let asked = world.provider.chats().iter().filter(|chat| chat.body.to_string().contains("sum up")).count();
    assert_eq!(asked, 0, "nobody waits for a summary");
    world.provider.reply(Reply::tool_call("conversation_search", json!({"query": "zebra number 0"})));
    world.provider.reply(Reply::text("found"));
    let turn = world.say(&agent.id, "where?").await.unwrap();
    assert!(shown(&turn.messages)[1]["tool_return"].as_str().unwrap().contains("the zebra number 0"));
    let first = &world.provider.chats().last().unwrap().messages()[1]["role"].clone();
    assert_eq!(first, "user");
}

#[tokio::test]
async fn a_cleared_buffer_begins_every_turn_anew_and_forgets_nothing() {
    let world = World::new().await;
    let agent = world.agent_with(|body| body.message_buffer_autoclear = Some(true)).await;
    for text in ["the first zebra", "the second"] {
        world.say(&agent.id, text).await.unwrap();
        let state = world.core.get_agent(&world.actor, &agent.id, mneme_domain::agent::Include::NONE).await.unwrap();
        assert_eq!(state.message_ids.len(), 1, "{text}");
    }
    let roles: Vec<Value> = world.provider.chats()[1].messages().iter().map(|one| one["role"].clone()).collect();
    assert_eq!(roles, ["system", "user"]);
    world.provider.reply(Reply::tool_call("conversation_search", json!({"query": "zebra"}))).reply(Reply::text("yes"));
    let turn = world.say(&agent.id, "which?").await.unwrap();
    assert!(shown(&turn.messages)[1]["tool_return"].as_str().unwrap().contains("the first zebra"));
    let last = world.provider.chats().pop().unwrap();
    assert_eq!(last.messages().len(), 4, "within a turn all is in view");
}
