//! Runs that change hands, agents that are busy, and runs that are ended from elsewhere.

use std::time::Duration;

use futures::StreamExt;
use mneme_core::{CoreError, Reading, TurnEvent};
use mneme_domain::run::{RunStatus, StopReason};
use mneme_tests::Reply;
use serde_json::json;

use crate::{
    background::{ended, ended_on},
    common::{On, World, say, shown},
};

async fn a_server_that_stops_gives_its_runs_back(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    let insert = json!({"label": "human", "new_str": "Likes tea."});
    world.provider.reply(Reply::tool_call("memory_insert", insert)).reply(Reply::hang());
    let run = world.core.send_async(&world.actor, &agent.id, say("go")).await.unwrap();
    world.provider.wait_for_chats(2).await;
    world.core.shutdown(Duration::ZERO).await;

    world.provider.reply(Reply::text("done"));
    let next = world.another(|_| {}).await;
    let over = ended_on(&next, &world, &run.id).await;
    assert_eq!((over.status, over.stop_reason), (RunStatus::Completed, Some(StopReason::EndTurn)));
    let events: Vec<TurnEvent> =
        next.resume_stream(&world.actor, &run.id, 0, Reading::default()).await.unwrap().collect().await;
    let kinds: Vec<String> = events
        .iter()
        .map(|event| match event {
            TurnEvent::Stored(value) => value["message_type"].as_str().unwrap().to_owned(),
            TurnEvent::Stop(_) => "stop".into(),
            TurnEvent::Usage(usage) => format!("{} steps", usage.step_count),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["tool_call_message", "tool_return_message", "assistant_message", "stop", "2 steps"]);
    let human = next.get_agent_block(&world.actor, &agent.id, "human").await.unwrap().value;
    assert_eq!(human.matches("Likes tea.").count(), 1, "{human}");
    assert_eq!(world.provider.chats().len(), 3, "only the step that was cut off is asked for again");
}

#[tokio::test]
async fn a_stop_gives_runs_back_on_sqlite() {
    a_server_that_stops_gives_its_runs_back(On::Sqlite).await;
}

#[tokio::test]
async fn a_stop_gives_runs_back_on_postgres() {
    a_server_that_stops_gives_its_runs_back(On::Postgres).await;
}

#[tokio::test]
async fn a_run_ended_on_another_server_ends_where_it_is() {
    let world = World::on(On::Postgres).await;
    let other = world.another(|_| {}).await;
    let agent = world.agent().await;
    world.provider.reply(Reply::hang());
    // One with a client, one without.
    let waiting = tokio::spawn({
        let (core, actor, agent) = (world.core.clone(), world.actor.clone(), agent.id.clone());
        async move { core.send(&actor, &agent, say("never")).await }
    });
    world.provider.wait_for_chats(1).await;
    let queued = world.core.send_async(&world.actor, &agent.id, say("then")).await.unwrap();
    let outcome = other.cancel_runs(&world.actor, &agent.id, None).await.unwrap();
    assert!(outcome.len() == 2 && outcome.iter().all(|(_, what)| *what == "cancelled"), "{outcome:?}");
    let result = tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(result.stop_reason, StopReason::Cancelled);
    assert_eq!(ended(&world, &queued.id).await.status, RunStatus::Cancelled);
    world.provider.wait_for_disconnects(1).await;
    world.provider.reply(Reply::text("alive"));
    let turn = other.send(&world.actor, &agent.id, say("alive?")).await.unwrap();
    assert_eq!(shown(&turn.messages).last().unwrap()["content"], "alive");
}

#[tokio::test]
async fn turns_of_two_servers_follow_one_another() {
    let world = World::on(On::Postgres).await;
    let other = world.another(|_| {}).await;
    let agent = world.agent().await;
    world.provider.otherwise(Reply::text("yes").after(Duration::from_millis(20)));
    let turns = (0..12).map(|number| {
        let core = if number % 2 == 0 { world.core.clone() } else { other.clone() };
        let (actor, agent) = (world.actor.clone(), agent.id.clone());
        async move { core.send(&actor, &agent, say(&format!("message {number}"))).await.unwrap() }
    });
    futures::future::join_all(turns).await;
    let last = world.provider.chats().into_iter().max_by_key(|chat| chat.messages().len()).unwrap();
    let roles: Vec<&str> = last
        .messages()
        .iter()
        .filter_map(|message| message["role"].as_str())
        .skip_while(|role| *role != "user")
        .collect();
    // Every turn saw all those before it.
    let expected: Vec<&str> = ["user", "assistant"].into_iter().cycle().take(23).collect();
    let tail = &roles[roles.len().saturating_sub(23)..];
    assert_eq!(tail, &expected[..], "{roles:?}");
}

#[tokio::test]
async fn a_busy_agent_refuses_when_the_operator_wants_that() {
    let world = World::new().await;
    let core = world.another(|config| config.reject_busy = true).await;
    let agent = world.agent().await;
    world.provider.reply(Reply::hang());
    let run = core.send_async(&world.actor, &agent.id, say("long")).await.unwrap();
    world.provider.wait_for_chats(1).await;
    for refused in [
        core.send(&world.actor, &agent.id, say("now?")).await.map(drop),
        core.send_async(&world.actor, &agent.id, say("later?")).await.map(drop),
    ] {
        assert!(matches!(&refused, Err(CoreError::Conflict(text)) if text.contains("busy")), "{refused:?}");
    }
    core.cancel_job(&world.actor, &run.id).await.unwrap();
    world.provider.reply(Reply::text("free"));
    let turn = core.send(&world.actor, &agent.id, say("now?")).await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "free");
}

#[tokio::test]
async fn a_run_whose_client_went_with_its_server_is_ended_with_a_reason() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::hang());
    let mut stream = world.core.start_stream(&world.actor, &agent.id, say("go")).await.unwrap();
    let run = stream.run_id().clone();
    world.provider.wait_for_chats(1).await;
    // The other server cannot know that this one is still there: it is the only one that may be.
    let next = world.another(|_| {}).await;
    let over = ended_on(&next, &world, &run).await;
    assert_eq!((over.status, over.stop_reason), (RunStatus::Failed, Some(StopReason::Error)));
    assert_eq!(over.metadata.unwrap()["error"]["type"], "interrupted");
    world.core.shutdown(Duration::ZERO).await;
    while stream.next().await.is_some() {}
    world.provider.reply(Reply::text("here"));
    let turn = next.send(&world.actor, &agent.id, say("hello")).await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "here");
}
