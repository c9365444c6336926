//! Messages for many agents at once, through a provider's batch API and without one.

use std::{sync::Arc, time::Duration};

use mneme_core::{Core, CoreConfig, CoreError};
use mneme_domain::{
    AgentId, BatchId, Order, Page,
    batch::{BatchJob, CreateBatch},
    run::RunStatus,
};
use mneme_llm::ProviderKind;
use mneme_tests::Reply;
use serde_json::{Value, json};

use crate::common::{On, World, say, shown};

fn batching(config: &mut CoreConfig) {
    config.providers[0].kind = ProviderKind::OpenAi;
    config.batch_poll = Duration::from_millis(50);
}

fn batch(entries: &[(&AgentId, &str)]) -> CreateBatch {
    let requests: Vec<Value> = entries
        .iter()
        .map(|(agent, text)| json!({"agent_id": agent, "messages": [{"role": "user", "content": text}]}))
        .collect();
    serde_json::from_value(json!({"requests": requests})).unwrap()
}

async fn over(core: &Arc<Core>, world: &World, id: &BatchId) -> BatchJob {
    let over = async {
        loop {
            let found = core.get_batch(&world.actor, id).await.unwrap();
            if found.status.is_terminal() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), over).await.expect("the batch ends")
}

fn counts(batch: &BatchJob) -> [i64; 5] {
    let counts = &batch.metadata.as_ref().unwrap()["counts"];
    ["total", "completed", "failed", "cancelled", "processing"].map(|name| counts[name].as_i64().unwrap())
}

fn oldest_first() -> Page {
    Page { order: Order::Asc, ..Page::all() }
}

async fn calls_travel_together_and_tools_run_between(database: On) {
    let world = World::with(database, batching).await;
    let (ada, ben) = (world.agent().await, world.agent().await);
    world.provider.reply_to("for ada", Reply::tool_call("memory_insert", json!({"label": "human", "new_str": "Tea."})));
    world.provider.reply_to("for ada", Reply::text("noted"));
    world.provider.reply_to("for ben", Reply::text("hello"));
    let begun =
        world.core.create_batch(&world.actor, batch(&[(&ada.id, "for ada"), (&ben.id, "for ben")])).await.unwrap();
    assert!(!begun.status.is_terminal() && begun.job_type == "batch", "{begun:?}");
    assert_eq!(world.provider.batches().len(), 1, "it is handed over when its client has its answer");

    let done = over(&world.core, &world, &begun.id).await;
    assert_eq!((done.status, counts(&done)), (RunStatus::Completed, [2, 2, 0, 0, 0]));
    assert!(world.block(&ada.id, "human").await.contains("Tea."));
    // Two calls in the first batch, one in the second, and none by itself.
    let sent: Vec<usize> = world.provider.batches().iter().map(Vec::len).collect();
    assert_eq!((sent, world.provider.chats().len()), (vec![2, 1], 0));
    let second = &world.provider.batches()[1][0];
    assert!(second["body"]["messages"].to_string().contains("for ada"), "{second}");
    assert_eq!(second["body"].get("stream"), None);

    let messages = world.core.batch_messages(&world.actor, &begun.id, None, &oldest_first()).await.unwrap();
    let of = |agent: &AgentId| -> Vec<(String, String)> {
        let own = messages.iter().filter(|message| message.agent_id == *agent);
        own.map(|message| (message.role.as_str().to_owned(), message.batch_item_id.clone().unwrap())).collect()
    };
    let roles: Vec<String> = of(&ada.id).into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["assistant", "tool", "assistant"]);
    let items: std::collections::BTreeSet<String> = messages.iter().filter_map(|m| m.batch_item_id.clone()).collect();
    assert!(items.len() == 2 && items.iter().all(|item| item.starts_with("batch_item-")), "{items:?}");
    let only = world.core.batch_messages(&world.actor, &begun.id, Some(&ben.id), &oldest_first()).await.unwrap();
    assert_eq!(only.iter().map(|message| message.text()).collect::<Vec<_>>(), ["hello"]);
    // What was asked and answered is kept like that of any step.
    let step = only[0].step_id.clone().unwrap();
    let trace = world.core.step_trace(&world.actor, &step).await.unwrap().unwrap();
    assert!(trace.request_json["messages"].to_string().contains("for ben"), "{trace:?}");
    assert_eq!(trace.response_json["choices"][0]["message"]["content"], "hello");
    // Afterwards an agent knows what was said.
    world.provider.reply(Reply::text("yes"));
    world.say(&ada.id, "still there?").await.unwrap();
    let chat = &world.provider.chats()[0];
    assert!(chat.body.to_string().contains("noted"), "{}", chat.body);
    assert_eq!(world.core.list_batches(&world.actor, &Page::all()).await.unwrap()[0].id, begun.id);
}

#[tokio::test]
async fn calls_travel_together_on_sqlite() {
    calls_travel_together_and_tools_run_between(On::Sqlite).await;
}

#[tokio::test]
async fn calls_travel_together_on_postgres() {
    calls_travel_together_and_tools_run_between(On::Postgres).await;
}

async fn an_agent_is_free_while_its_batch_waits(database: On) {
    let world = World::with(database, batching).await;
    let agent = world.agent().await;
    world.provider.hold_batches(true);
    let entries = [(&agent.id, "later please"), (&agent.id, "and this after it")];
    let begun = world.core.create_batch(&world.actor, batch(&entries)).await.unwrap();
    assert_eq!(world.provider.batches()[0].len(), 1, "an agent's entries come one after the other");
    world.provider.reply_to("right now", Reply::text("here"));
    let turn = tokio::time::timeout(Duration::from_secs(10), world.say(&agent.id, "right now")).await.unwrap().unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "here");
    world.provider.reply_to("later please", Reply::text("first")).reply_to("and this after it", Reply::text("second"));
    world.provider.hold_batches(false);
    assert_eq!(counts(&over(&world.core, &world, &begun.id).await), [2, 2, 0, 0, 0]);
    let last = &world.provider.batches()[1][0]["body"]["messages"];
    let said: Vec<&str> = last.as_array().unwrap()[1..].iter().map(|one| one["content"].as_str().unwrap()).collect();
    let said: Vec<&str> = said.into_iter().map(|text| text.trim()).collect();
    assert_eq!(said, ["right now", "here", "later please", "first", "and this after it"]);
}

#[tokio::test]
async fn an_agent_is_free_while_its_batch_waits_on_sqlite() {
    an_agent_is_free_while_its_batch_waits(On::Sqlite).await;
}

#[tokio::test]
async fn an_agent_is_free_while_its_batch_waits_on_postgres() {
    an_agent_is_free_while_its_batch_waits(On::Postgres).await;
}

#[tokio::test]
async fn without_a_batch_api_the_turns_are_taken_in_the_background() {
    let world = World::new().await;
    let (ada, ben) = (world.agent().await, world.agent().await);
    world.provider.reply_to("for ada", Reply::text("one"));
    world.provider.reply_to("for ben", Reply::error(400, "bad", "no"));
    let begun =
        world.core.create_batch(&world.actor, batch(&[(&ada.id, "for ada"), (&ben.id, "for ben")])).await.unwrap();
    let done = over(&world.core, &world, &begun.id).await;
    assert_eq!((done.status, counts(&done)), (RunStatus::Completed, [2, 1, 1, 0, 0]));
    assert!(world.provider.batches().is_empty());
    // A provider of the right kind that turns out to have none.
    let world = World::with(On::Sqlite, batching).await;
    let agent = world.agent().await;
    world.provider.refuse_upload(404).reply(Reply::text("by itself"));
    let begun = world.core.create_batch(&world.actor, batch(&[(&agent.id, "go")])).await.unwrap();
    assert_eq!(counts(&over(&world.core, &world, &begun.id).await), [1, 1, 0, 0, 0]);
    assert_eq!((world.provider.batches().len(), world.provider.chats().len()), (0, 1));
}

#[tokio::test]
async fn a_refusal_that_passes_is_waited_out_and_a_call_without_an_answer_fails_alone() {
    let world = World::with(On::Sqlite, batching).await;
    let (ada, ben, cleo) = (world.agent().await, world.agent().await, world.agent().await);
    world.provider.refuse_upload(503);
    world.provider.reply_to("for ada", Reply::text("one")).reply_to("for ben", Reply::hang());
    let long = "this model's maximum context length is 8 tokens";
    world.provider.reply_to("for cleo", Reply::error(400, "context_length_exceeded", long));
    world.provider.reply_to("for cleo", Reply::text("short enough"));
    let entries = [(&ada.id, "for ada"), (&ben.id, "for ben"), (&cleo.id, "for cleo")];
    let begun = world.core.create_batch(&world.actor, batch(&entries)).await.unwrap();
    let done = over(&world.core, &world, &begun.id).await;
    assert_eq!((done.status, counts(&done)), (RunStatus::Completed, [3, 2, 1, 0, 0]));
    let sent: Vec<usize> = world.provider.batches().iter().map(Vec::len).collect();
    assert_eq!(sent, [3, 1], "only what was too long is asked again");
    let said = world.core.batch_messages(&world.actor, &begun.id, Some(&cleo.id), &oldest_first()).await.unwrap();
    assert_eq!(said.last().unwrap().text(), "short enough");
}

#[tokio::test]
async fn a_cancelled_batch_stops_at_its_provider_and_leaves_its_agents_free() {
    let world = World::with(On::Sqlite, batching).await;
    let agent = world.agent().await;
    world.provider.hold_batches(true);
    let begun = world.core.create_batch(&world.actor, batch(&[(&agent.id, "never")])).await.unwrap();
    let ended = world.core.cancel_batch(&world.actor, &begun.id).await.unwrap();
    assert_eq!((ended.status, counts(&ended)), (RunStatus::Cancelled, [1, 0, 0, 1, 0]));
    let stopped = async {
        while !world.provider.requests().iter().any(|one| one.path.ends_with("/cancel")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), stopped).await.expect("the provider is told");
    world.provider.reply(Reply::text("free"));
    let turn = world.say(&agent.id, "are you free?").await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "free");
    let chat = world.provider.chats()[0].body.to_string();
    assert!(!chat.contains("never"), "what was not answered is not in the history: {chat}");
    assert_eq!(world.core.cancel_batch(&world.actor, &begun.id).await.unwrap(), ended, "it stays as it is");
}

async fn a_batch_goes_on_after_a_restart(database: On) {
    let world = World::with(database, batching).await;
    let agent = world.agent().await;
    world.provider.hold_batches(true);
    let begun = world.core.create_batch(&world.actor, batch(&[(&agent.id, "go")])).await.unwrap();
    world.core.shutdown(Duration::ZERO).await;
    let next = world.another(batching).await;
    world.provider.reply(Reply::text("done")).hold_batches(false);
    assert_eq!(counts(&over(&next, &world, &begun.id).await), [1, 1, 0, 0, 0]);
    assert_eq!(world.provider.batches().len(), 1, "nothing is handed over twice");
}

#[tokio::test]
async fn a_batch_goes_on_after_a_restart_on_sqlite() {
    a_batch_goes_on_after_a_restart(On::Sqlite).await;
}

#[tokio::test]
async fn a_batch_goes_on_after_a_restart_on_postgres() {
    a_batch_goes_on_after_a_restart(On::Postgres).await;
}

#[tokio::test]
async fn what_makes_no_sense_begins_nothing() {
    let world = World::with(On::Sqlite, batching).await;
    let agent = world.agent().await;
    let nobody: AgentId = "agent-00000000-0000-4000-8000-00000000dead".parse().unwrap();
    let missing = world.core.create_batch(&world.actor, batch(&[(&agent.id, "a"), (&nobody, "b")])).await;
    assert!(matches!(&missing, Err(CoreError::NotFound(text)) if text.contains("dead")), "{missing:?}");
    let empty = world.core.create_batch(&world.actor, batch(&[(&agent.id, "a"), (&agent.id, "")])).await;
    assert!(matches!(&empty, Err(CoreError::Invalid(text)) if text.starts_with("requests.1: ")), "{empty:?}");
    let none = world.core.create_batch(&world.actor, batch(&[])).await;
    assert!(matches!(&none, Err(CoreError::Unprocessable { .. })), "{none:?}");
    assert_eq!(world.core.list_batches(&world.actor, &Page::all()).await.unwrap(), []);
    let unknown: BatchId = "job-00000000-0000-4000-8000-000000000000".parse().unwrap();
    assert!(matches!(world.core.get_batch(&world.actor, &unknown).await, Err(CoreError::NotFound(_))));
}

#[tokio::test]
async fn a_message_while_the_agent_waits_for_approval_fails_its_entry_and_an_approval_is_taken() {
    let world = World::with(On::Sqlite, batching).await;
    let agent = world.agent().await;
    let guard = json!([{"type": "requires_approval", "tool_name": "memory_insert"}]);
    let update = serde_json::from_value(json!({"tool_rules": guard})).unwrap();
    world.core.update_agent(&world.actor, &agent.id, update).await.unwrap();
    let insert = json!({"label": "human", "new_str": "Tea."});
    world.provider.reply(Reply::tool_call("memory_insert", insert));
    let asked = world.core.create_batch(&world.actor, batch(&[(&agent.id, "remember tea")])).await.unwrap();
    assert_eq!(counts(&over(&world.core, &world, &asked.id).await), [1, 1, 0, 0, 0]);
    let request = world.core.batch_messages(&world.actor, &asked.id, None, &oldest_first()).await.unwrap();
    let request = request.last().unwrap().id.clone();
    let refused = world.core.create_batch(&world.actor, batch(&[(&agent.id, "hurry")])).await.unwrap();
    assert_eq!(over(&world.core, &world, &refused.id).await.status, RunStatus::Failed);
    world.provider.reply(Reply::text("kept"));
    let approve = json!({"requests": [{"agent_id": agent.id,
        "messages": [{"type": "approval", "approve": true, "approval_request_id": request}]}]});
    let approved = world.core.create_batch(&world.actor, serde_json::from_value(approve).unwrap()).await.unwrap();
    assert_eq!(counts(&over(&world.core, &world, &approved.id).await), [1, 1, 0, 0, 0]);
    assert_eq!(world.block(&agent.id, "human").await.matches("Tea.").count(), 1);
    let turn = world.core.send(&world.actor, &agent.id, say("thanks")).await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "echo: thanks");
}
