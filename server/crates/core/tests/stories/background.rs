//! Turns that go on without their client, on both databases.

use std::{sync::Arc, time::Duration};

use crate::common::{On, World, request, say};
use futures::StreamExt;
use mneme_core::{Core, CoreError, Reading, TurnEvent};
use mneme_domain::{
    Actor, RunId,
    run::{Run, RunStatus, StopReason},
};
use mneme_tests::Reply;
use serde_json::{Value, json};

pub async fn ended(world: &World, run: &RunId) -> Run {
    ended_on(&world.core, world, run).await
}

pub async fn ended_on(core: &Arc<Core>, world: &World, run: &RunId) -> Run {
    let ended = async {
        loop {
            let run = core.get_run(&world.actor, run).await.unwrap();
            if run.status.is_terminal() {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.unwrap()
}

fn stored(events: Vec<TurnEvent>) -> Vec<Value> {
    let messages = events.into_iter().filter_map(|event| match event {
        TurnEvent::Stored(value) => Some(value),
        _ => None,
    });
    messages.collect()
}

async fn a_background_stream_reads_the_same_from_every_point(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    world.provider.reply(Reply::text("alpha beta gamma delta epsilon"));
    let mut body = say("go");
    (body.stream_tokens, body.background) = (Some(true), Some(true));
    let (run, events) = world.core.start_background_stream(&world.actor, &agent.id, body).await.unwrap();
    let live = stored(events.collect().await);
    let text: String = live.iter().map(|event| event["content"].as_str().unwrap()).collect();
    assert_eq!(text, "alpha beta gamma delta epsilon");
    let places: Vec<i64> = live.iter().map(|event| event["seq_id"].as_i64().unwrap()).collect();
    assert_eq!(places, (1..=i64::try_from(live.len()).unwrap()).collect::<Vec<_>>());
    assert_eq!(ended(&world, &run).await.status, RunStatus::Completed);
    for cut in 0..=live.len() {
        let after = i64::try_from(cut).unwrap();
        let events: Vec<TurnEvent> =
            world.core.resume_stream(&world.actor, &run, after, Reading::default()).await.unwrap().collect().await;
        let tail: Vec<String> = events.iter().rev().take(2).map(|event| format!("{event:?}")).collect();
        assert!(tail[0].starts_with("Usage(") && tail[1].starts_with("Stop(EndTurn"), "{tail:?}");
        assert_eq!(stored(events), live[cut..], "cut at {cut}");
    }
}

#[tokio::test]
async fn background_streams_on_sqlite() {
    a_background_stream_reads_the_same_from_every_point(On::Sqlite).await;
}

#[tokio::test]
async fn background_streams_on_postgres() {
    a_background_stream_reads_the_same_from_every_point(On::Postgres).await;
}

#[tokio::test]
async fn a_background_run_outlives_its_reader_and_a_second_reader_misses_nothing() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::text("a b c d e f g h").chunk_delay(Duration::from_millis(20)));
    let mut body = say("go");
    (body.stream_tokens, body.background) = (Some(true), Some(true));
    let (run, events) = world.core.start_background_stream(&world.actor, &agent.id, body).await.unwrap();
    let mut events = Box::pin(events);
    let head: Vec<TurnEvent> = events.by_ref().take(2).collect().await;
    drop(events);
    let mut seen = stored(head);
    let after = seen.last().unwrap()["seq_id"].as_i64().unwrap();
    seen.extend(stored(
        world.core.resume_stream(&world.actor, &run, after, Reading::default()).await.unwrap().collect().await,
    ));
    let text: String = seen.iter().map(|event| event["content"].as_str().unwrap()).collect();
    assert_eq!(text, "a b c d e f g h");
    assert_eq!(ended(&world, &run).await.stop_reason, Some(StopReason::EndTurn));
}

/// Numbers that look random and are the same each time.
fn next_of(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 40).unwrap()
}

async fn readers_that_leave_and_come_back_anywhere_miss_nothing(database: On) {
    let world = World::on(database).await;
    // The readers of PostgreSQL ask one server and then another.
    let mut cores = vec![world.core.clone()];
    if matches!(database, On::Postgres) {
        cores.push(world.another(|_| {}).await);
    }
    let reading = Reading { poll: Duration::from_millis(5), batch: 7 };
    for round in 0..3_u64 {
        let agent = world.agent().await;
        let words: String = (0..60).map(|number| format!("w{number} ")).collect();
        world.provider.reply(
            Reply::tool_call("memory_insert", json!({"label": "human", "new_str": "tea"}))
                .with_text("first")
                .chunk_delay(Duration::from_millis(2)),
        );
        world.provider.reply(Reply::text(words).chunk_delay(Duration::from_millis(3)));
        let mut body = say("go");
        (body.stream_tokens, body.background) = (Some(true), Some(true));
        let (run, events) = world.core.start_background_stream(&world.actor, &agent.id, body).await.unwrap();
        let readers = (0..8_u64).map(|reader| {
            let (world, cores, run) = (&world, &cores, &run);
            async move {
                let mut state = round * 100 + reader;
                let (mut seen, mut place) = (Vec::new(), 0);
                loop {
                    let core = &cores[next_of(&mut state) % cores.len()];
                    let count = 1 + next_of(&mut state) % 9;
                    let events = core.resume_stream(&world.actor, run, place, reading).await.unwrap();
                    let mut events = Box::pin(events);
                    for _ in 0..count {
                        match events.next().await {
                            Some(TurnEvent::Stored(value)) => {
                                place = value["seq_id"].as_i64().unwrap();
                                seen.push(value);
                            }
                            Some(TurnEvent::Usage(_)) => return seen,
                            Some(_) => {}
                            None => panic!("the stream ended without its end, at {place}"),
                        }
                    }
                }
            }
        });
        let (whole, cut) = futures::join!(events.collect::<Vec<_>>(), futures::future::join_all(readers));
        let whole = stored(whole);
        assert!(whole.len() > 60, "{}", whole.len());
        for (reader, seen) in cut.into_iter().enumerate() {
            assert_eq!(seen, whole, "reader {reader} of round {round}");
        }
    }
}

#[tokio::test]
async fn readers_that_come_back_miss_nothing_on_sqlite() {
    readers_that_leave_and_come_back_anywhere_miss_nothing(On::Sqlite).await;
}

#[tokio::test]
async fn readers_that_come_back_miss_nothing_on_postgres() {
    readers_that_leave_and_come_back_anywhere_miss_nothing(On::Postgres).await;
}

#[tokio::test]
async fn cancelling_ends_the_model_call_and_the_agent_goes_on() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::hang());
    let run = world.core.send_async(&world.actor, &agent.id, say("never")).await.unwrap();
    assert_eq!((run.status, run.background), (RunStatus::Created, Some(true)));
    world.provider.wait_for_chats(1).await;
    let outcome = world.core.cancel_runs(&world.actor, &agent.id, Some(vec![run.id.clone()])).await.unwrap();
    assert_eq!(outcome, [(run.id.clone(), "cancelled")]);
    world.provider.wait_for_disconnects(1).await;
    let run = ended(&world, &run.id).await;
    assert_eq!((run.status, run.stop_reason), (RunStatus::Cancelled, Some(StopReason::Cancelled)));
    assert!(world.core.cancel_runs(&world.actor, &agent.id, None).await.unwrap().is_empty());
    world.provider.reply(Reply::text("alive"));
    assert_eq!(crate::common::shown(&world.say(&agent.id, "hi").await.unwrap().messages)[0]["content"], "alive");
}

#[tokio::test]
async fn a_failed_background_run_says_why_in_its_record_and_its_stream() {
    let world = World::new().await;
    let agent = world.agent().await;
    world.provider.reply(Reply::error(400, "bad", "no such thing"));
    let run = world.core.send_async(&world.actor, &agent.id, say("x")).await.unwrap();
    let failed = ended(&world, &run.id).await;
    assert_eq!((failed.status, failed.stop_reason), (RunStatus::Failed, Some(StopReason::LlmApiError)));
    let said = "The request to the model provider failed: Error code: 400 - no such thing";
    assert_eq!(failed.metadata.unwrap()["error"]["message"], said);
    let events =
        stored(world.core.resume_stream(&world.actor, &run.id, 0, Reading::default()).await.unwrap().collect().await);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["message_type"], "error_message");
    let error = json!({"type": "llm_error", "message": "The request to the model provider failed.",
        "detail": "Error code: 400 - no such thing"});
    assert_eq!(events[0]["error"], error, "as in the foreground");
    assert_eq!((&events[0]["message"], &events[0]["detail"]), (&error["message"], &error["detail"]));
}

#[tokio::test]
async fn foreground_runs_cannot_be_resumed_and_foreign_ones_are_unknown() {
    let world = World::new().await;
    let agent = world.agent().await;
    let turn = world.say(&agent.id, "hello").await.unwrap();
    let refused =
        world.core.resume_stream(&world.actor, &turn.run_id, 0, Reading::default()).await.map(drop).unwrap_err();
    assert!(matches!(refused, CoreError::Invalid(_)), "{refused}");
    let stranger = Actor {
        org: mneme_domain::OrgId::trusted("org-11111111-1111-4111-8111-111111111111".into()),
        ..world.actor.clone()
    };
    let unknown = world.core.resume_stream(&stranger, &turn.run_id, 0, Reading::default()).await.map(drop).unwrap_err();
    assert!(matches!(unknown, CoreError::NotFound(_)), "{unknown}");
    let unknown = world.core.cancel_runs(&stranger, &agent.id, None).await.unwrap_err();
    assert!(matches!(unknown, CoreError::NotFound(_)), "{unknown}");
}

#[tokio::test]
async fn the_callback_address_is_told_and_a_metadata_service_never_is() {
    let world = World::new().await;
    let agent = world.agent().await;
    let address = "http://169.254.169.254/latest/meta-data";
    let body = json!({"messages": [{"role": "user", "content": "x"}], "callback_url": address});
    let refused = world.core.send_async(&world.actor, &agent.id, request(body)).await.unwrap_err();
    assert!(refused.to_string().contains("not public"), "{refused}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&request).contains("\"status\":\"completed\"") {
            let read = socket.read(&mut buffer).await.unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&request));
            request.extend_from_slice(&buffer[..read]);
        }
        socket.write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        String::from_utf8(request).unwrap()
    });
    let body = json!({"messages": [{"role": "user", "content": "x"}], "callback_url": url});
    let run = world.core.send_async(&world.actor, &agent.id, request(body)).await.unwrap();
    let told = tokio::time::timeout(Duration::from_secs(20), heard).await.unwrap().unwrap();
    assert!(told.starts_with("POST /hook") && told.contains(&run.id.to_string()), "{told}");
    let recorded = async {
        loop {
            let run = world.core.get_run(&world.actor, &run.id).await.unwrap();
            if run.callback_sent_at.is_some() {
                return run;
            }
            tokio::task::yield_now().await;
        }
    };
    let run = tokio::time::timeout(Duration::from_secs(20), recorded).await.unwrap();
    assert_eq!(run.callback_status_code, Some(204));
}
