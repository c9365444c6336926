//! What others do to an agent while its model thinks.

use std::time::Duration;

use futures::StreamExt;
use mneme_core::{CoreError, TurnEvent, TurnResult};
use mneme_domain::agent::AgentState;
use mneme_tests::Reply;
use serde_json::json;

use crate::common::{On, World, say, shown};

/// Runs a turn whose model calls a tool that edits memory, with something else happening before it does.
async fn turn_during_which(
    world: &World,
    agent: &AgentState,
    meanwhile: impl Future<Output = ()>,
) -> mneme_core::Result<TurnResult> {
    let insert = Reply::tool_call("memory_insert", json!({"label": "human", "new_str": "Likes tea."}));
    world.provider.forget_requests();
    world.provider.reply(insert.after(Duration::from_millis(500))).reply(Reply::text("well"));
    let turn = tokio::spawn({
        let (core, actor, agent) = (world.core.clone(), world.actor.clone(), agent.id.clone());
        async move { core.send(&actor, &agent, say("I like tea")).await }
    });
    world.provider.wait_for_chats(1).await;
    meanwhile.await;
    turn.await.unwrap()
}

async fn a_block_that_is_gone_fails_the_call_and_not_the_turn(database: On) {
    let world = World::on(database).await;
    for delete in [true, false] {
        let agent = world.agent().await;
        let block = agent.blocks.iter().find(|block| block.label.as_deref() == Some("human")).unwrap();
        let take = async {
            if delete {
                world.core.delete_block(&world.actor, &block.id).await.unwrap();
            } else {
                world.core.detach_block(&world.actor, &agent.id, &block.id).await.unwrap();
            }
        };
        let turn = turn_during_which(&world, &agent, take).await.unwrap();
        let shown = shown(&turn.messages);
        assert_eq!(shown[1]["status"], "error", "{shown:?}");
        assert!(shown[1]["tool_return"].as_str().unwrap().contains("no memory block `human`"), "{shown:?}");
        assert_eq!(shown[2]["content"], "well");
        if !delete {
            let left = world.core.get_block(&world.actor, &block.id).await.unwrap();
            assert_eq!(left.value, "Name: Ada.", "it is no longer the agent's to write");
        }
    }
}

#[tokio::test]
async fn a_block_that_is_gone_on_sqlite() {
    a_block_that_is_gone_fails_the_call_and_not_the_turn(On::Sqlite).await;
}

#[tokio::test]
async fn a_block_that_is_gone_on_postgres() {
    a_block_that_is_gone_fails_the_call_and_not_the_turn(On::Postgres).await;
}

async fn a_turn_of_an_agent_that_is_deleted_says_that_there_is_none(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    let delete = async { world.core.delete_agent(&world.actor, &agent.id).await.unwrap() };
    let failed = turn_during_which(&world, &agent, delete).await;
    let id = agent.id.to_string();
    assert!(matches!(&failed, Err(CoreError::NotFound(text)) if text.contains(&id)), "{:?}", failed.err());
    // The model is not waited for, so it calls no tools any more.
    world.provider.wait_for_disconnects(1).await;
}

#[tokio::test]
async fn an_agent_that_is_deleted_on_sqlite() {
    a_turn_of_an_agent_that_is_deleted_says_that_there_is_none(On::Sqlite).await;
}

#[tokio::test]
async fn an_agent_that_is_deleted_on_postgres() {
    a_turn_of_an_agent_that_is_deleted_says_that_there_is_none(On::Postgres).await;
}

async fn turns_that_wait_for_an_agent_that_is_deleted_end(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    world.provider.reply(Reply::text("late").after(Duration::from_millis(500)));
    let first = tokio::spawn({
        let (core, actor, agent) = (world.core.clone(), world.actor.clone(), agent.id.clone());
        async move { core.send(&actor, &agent, say("first")).await }
    });
    world.provider.wait_for_chats(1).await;
    let waits =
        async |text: &str| world.core.start_background_stream(&world.actor, &agent.id, say(text)).await.unwrap();
    let (second, third) = (waits("second").await.1, waits("third").await.1);
    world.core.delete_agent(&world.actor, &agent.id).await.unwrap();
    assert!(matches!(first.await.unwrap(), Err(CoreError::NotFound(_))));
    let id = agent.id.to_string();
    let ended = tokio::time::timeout(Duration::from_secs(20), futures::future::join(second.collect(), third.collect()));
    let (second, third): (Vec<TurnEvent>, Vec<TurnEvent>) = ended.await.unwrap();
    for events in [second, third] {
        match &events[..] {
            [TurnEvent::Stored(event)] => {
                assert!(event["error"]["message"].as_str().unwrap().contains(&id), "{event}");
            }
            // The run goes with its agent, and its reader may see that first.
            [TurnEvent::Error(CoreError::NotFound(_))] => {}
            _ => panic!("{events:?}"),
        }
    }
}

#[tokio::test]
async fn turns_that_wait_for_an_agent_end_with_it_on_sqlite() {
    turns_that_wait_for_an_agent_that_is_deleted_end(On::Sqlite).await;
}

#[tokio::test]
async fn turns_that_wait_for_an_agent_end_with_it_on_postgres() {
    turns_that_wait_for_an_agent_that_is_deleted_end(On::Postgres).await;
}
