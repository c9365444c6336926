//! Groups, sleep-time agents, and messages between agents, told through the core's public door.

use crate::common::{World, kinds, say, shown};
use futures::StreamExt;
use mneme_core::{CoreError, RunFilter, TurnEvent};
use mneme_domain::{
    Order, Page,
    agent::AgentState,
    group::{CreateGroup, Group, GroupUpdate},
    run::{RequestConfig, RunStatus},
};
use mneme_tests::Reply;
use serde_json::{Value, json};

async fn group(world: &World, agents: &[&AgentState], manager: Value) -> Group {
    let ids: Vec<String> = agents.iter().map(|agent| agent.id.to_string()).collect();
    let body = json!({"agent_ids": ids, "description": "a test", "manager_config": manager});
    let body: CreateGroup = serde_json::from_value(body).unwrap();
    world.core.create_group(&world.actor, body).await.unwrap()
}

async fn named(world: &World, name: &str) -> AgentState {
    world.agent_with(|body| body.name = Some(name.into())).await
}

fn oldest_first() -> Page {
    Page { order: Order::Asc, ..Page::all() }
}

#[tokio::test]
async fn agents_of_a_round_speak_in_turn_and_hear_each_other() {
    let world = World::new().await;
    let (one, two) = (named(&world, "One").await, named(&world, "Two").await);
    let group = group(&world, &[&one, &two], json!({"manager_type": "round_robin", "max_turns": 3})).await;
    for text in ["The word is kiwi.", "I heard it.", "Good."] {
        world.provider.reply(Reply::text(text));
    }
    let turn = world.core.send_to_group(&world.actor, &group.id, say("Begin")).await.unwrap();
    let said: Vec<Value> = shown(&turn.messages).iter().map(|message| message["content"].clone()).collect();
    assert_eq!(said, ["The word is kiwi.", "I heard it.", "Good."]);
    assert_eq!(turn.usage.step_count, 3);
    let asked = world.provider.chats();
    let last = |index: usize| asked[index].messages().last().unwrap()["content"].to_string();
    assert!(last(1).contains("One: The word is kiwi."), "{}", last(1));
    assert!(last(2).contains("Two: I heard it.") && !last(2).contains("kiwi"), "{}", last(2));

    let config = RequestConfig::default();
    let listed = world.core.list_group_messages(&world.actor, &group.id, &oldest_first(), &config).await.unwrap();
    assert_eq!(kinds(&listed), ["user_message", "assistant_message", "assistant_message", "assistant_message"]);
    world.core.reset_group(&world.actor, &group.id).await.unwrap();
    let listed = world.core.list_group_messages(&world.actor, &group.id, &oldest_first(), &config).await.unwrap();
    assert!(listed.is_empty());
    let agent = world.core.get_agent(&world.actor, &two.id, mneme_domain::agent::Include::NONE).await.unwrap();
    assert_eq!(agent.message_ids.len(), 1, "its agents forget it too");
}

#[tokio::test]
async fn a_dynamic_group_ends_when_its_manager_says_so() {
    let world = World::new().await;
    let (boss, one, two) = (named(&world, "Boss").await, named(&world, "One").await, named(&world, "Two").await);
    let manager = json!({"manager_type": "dynamic", "manager_agent_id": boss.id, "max_turns": 9});
    let group = group(&world, &[&one, &two], manager).await;
    world
        .provider
        .reply(Reply::tool_call("choose_next_participant", json!({"next_speaker_agent_id": two.id})))
        .reply(Reply::text("Two speaks."))
        .reply(Reply::text("DONE!"));
    let stream = world.core.stream_to_group(&world.actor, &group.id, say("Who knows?")).await.unwrap();
    let events: Vec<TurnEvent> = stream.collect().await;
    let mut texts = Vec::new();
    for event in &events {
        if let TurnEvent::Message(envelope) = event {
            let value = serde_json::to_value(envelope).unwrap();
            if value["message_type"] == "assistant_message" {
                texts.push(value["content"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(texts, ["Two speaks.", "DONE!"]);
    assert!(matches!(events[events.len() - 2..], [TurnEvent::Stop(_), TurnEvent::Usage(_)]), "{events:?}");
    assert_eq!(world.provider.chats().len(), 3);
}

#[tokio::test]
async fn an_agent_of_a_dynamic_group_may_be_chosen_twice_in_a_row() {
    let world = World::new().await;
    let (boss, one, two) = (named(&world, "Boss").await, named(&world, "One").await, named(&world, "Two").await);
    let manager = json!({"manager_type": "dynamic", "manager_agent_id": boss.id, "max_turns": 9});
    let group = group(&world, &[&one, &two], manager).await;
    let choose = || Reply::tool_call("choose_next_participant", json!({"next_speaker_agent_id": two.id}));
    world.provider.reply(choose()).reply(Reply::text("First.")).reply(choose()).reply(Reply::text("Second."));
    world.provider.reply(Reply::text("DONE!"));
    let turn = world.core.send_to_group(&world.actor, &group.id, say("Tell us all.")).await.unwrap();
    let shown = shown(&turn.messages);
    let said = shown.iter().filter(|message| message["message_type"] == "assistant_message");
    assert_eq!(said.map(|message| &message["content"]).collect::<Vec<_>>(), ["First.", "Second.", "DONE!"]);
    let told = world.provider.chats()[3].last_user_text();
    assert!(told.contains("speak again") && !told.contains("Tell us all."), "{told}");
}

#[tokio::test]
async fn a_sleep_time_agent_edits_the_memory_that_it_shares() {
    let world = World::new().await;
    let agent = world.agent_with(|body| body.enable_sleeptime = Some(true)).await;
    let group = agent.multi_agent_group.clone().unwrap();
    let sleeper = group.agent_ids[0].clone();
    assert_eq!((group.manager_agent_id.as_ref(), group.sleeptime_agent_frequency), (Some(&agent.id), Some(5)));
    let update: GroupUpdate =
        serde_json::from_value(json!({"manager_config": {"sleeptime_agent_frequency": 2}})).unwrap();
    world.core.update_group(&world.actor, &group.id, update).await.unwrap();
    world
        .provider
        .reply(Reply::text("Hello."))
        .reply(Reply::tool_call("memory_rethink", json!({"label": "human", "new_memory": "Ada likes kiwis."})))
        .reply(Reply::tool_call("memory_finish_edits", json!({})))
        .reply(Reply::text("Again."));
    world.say(&agent.id, "I like kiwis").await.unwrap();
    let runs = || async {
        let filter = RunFilter { agent_ids: vec![sleeper.clone()], ..RunFilter::default() };
        world.core.list_runs(&world.actor, filter, &Page::all()).await.unwrap()
    };
    let ended = async {
        loop {
            match runs().await.first() {
                Some(run) if run.status.is_terminal() => return run.clone(),
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let run = tokio::time::timeout(std::time::Duration::from_secs(30), ended).await.unwrap();
    assert_eq!(run.status, RunStatus::Completed);
    assert_eq!(world.block(&agent.id, "human").await, "Ada likes kiwis.");
    let told = world.provider.chats()[1].messages().last().unwrap()["content"].to_string();
    assert!(told.contains("user: I like kiwis") && told.contains("assistant: Hello."), "{told}");
    // The second turn of two is not its time.
    world.say(&agent.id, "More").await.unwrap();
    assert_eq!(runs().await.len(), 1);

    world.core.delete_agent(&world.actor, &agent.id).await.unwrap();
    let gone = world.core.get_agent(&world.actor, &sleeper, mneme_domain::agent::Include::NONE).await;
    assert!(matches!(gone, Err(CoreError::NotFound(_))), "it goes with the agent that it was made for");
}

#[tokio::test]
async fn a_block_that_an_agent_gets_later_is_its_sleep_time_agents_too() {
    let world = World::new().await;
    let agent = world.agent_with(|body| body.enable_sleeptime = Some(true)).await;
    let sleeper = agent.multi_agent_group.clone().unwrap().agent_ids[0].clone();
    let make = async |label: &str| {
        let body = serde_json::from_value(json!({"label": label, "value": "of the agent"})).unwrap();
        world.core.create_block(&world.actor, body).await.unwrap().id
    };
    let seen = async |label: &str| {
        let blocks = world.core.core_memory(&world.actor, &sleeper).await.unwrap().blocks;
        blocks.into_iter().find(|block| block.label.as_deref() == Some(label)).map(|block| block.id)
    };
    let (extra, alike) = (make("extra").await, make("memory_persona").await);
    let own = seen("memory_persona").await;
    for block in [&extra, &alike] {
        world.core.attach_block(&world.actor, &agent.id, block).await.unwrap();
    }
    assert_eq!(seen("extra").await.as_ref(), Some(&extra));
    assert_eq!(seen("memory_persona").await, own, "what it knows of itself stays");
    for block in [&extra, &alike] {
        world.core.detach_block(&world.actor, &agent.id, block).await.unwrap();
    }
    assert_eq!(seen("extra").await, None);
    assert_eq!(seen("memory_persona").await, own);
}

#[tokio::test]
async fn agents_cannot_keep_each_other_awake() {
    let world = World::new().await;
    let (one, two) = (
        world.agent_with(|body| body.enable_sleeptime = Some(true)).await,
        world.agent_with(|body| body.enable_sleeptime = Some(true)).await,
    );
    let manager = json!({"manager_type": "sleeptime", "manager_agent_id": one.id});
    let body = json!({"agent_ids": [two.id], "description": "", "manager_config": manager});
    let refused = world.core.create_group(&world.actor, serde_json::from_value(body).unwrap()).await;
    assert!(matches!(refused, Err(CoreError::Unprocessable { .. })), "{refused:?}");
    let own = json!({"agent_ids": [one.id], "description": "", "manager_config": manager});
    let refused = world.core.create_group(&world.actor, serde_json::from_value(own).unwrap()).await;
    assert!(matches!(refused, Err(CoreError::Unprocessable { .. })), "{refused:?}");
}
