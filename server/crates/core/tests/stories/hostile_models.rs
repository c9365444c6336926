//! Models and texts that mean no good: what they do is told to them or dropped, and never spoils the history.

use std::collections::BTreeSet;

use futures::StreamExt;
use mneme_core::TurnEvent;
use mneme_domain::{Order, Page, agent::Include, run::RequestConfig};
use mneme_tests::Reply;
use serde_json::{Value, json};

use crate::common::{On, World, say, shown};

/// Fails unless every call in a provider's request has an id of its own and is answered at once, exactly once, and ids
/// and names are of a form that every provider takes.
fn check_history(messages: &[Value]) {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap();
            let place = open.iter().position(|open| *open == id);
            open.remove(place.unwrap_or_else(|| panic!("{id} answers nothing: {messages:#?}")));
            continue;
        }
        assert!(open.is_empty(), "{open:?} have no answer: {messages:#?}");
        for call in message["tool_calls"].as_array().into_iter().flatten() {
            let id = call["id"].as_str().unwrap();
            assert!(!id.is_empty() && seen.insert(id), "{id} stands for two calls: {messages:#?}");
            assert!(id.len() <= 40, "{id} is too long");
            let name = call["function"]["name"].as_str().unwrap();
            let taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            assert!((1..=64).contains(&name.len()) && name.chars().all(taken), "{name:?} is no name");
            open.push(id);
        }
    }
    assert!(open.is_empty(), "{open:?} have no answer: {messages:#?}");
}

#[tokio::test]
async fn calls_that_cannot_be_told_apart_are_made_so() {
    let world = World::new().await;
    let agent = world.agent().await;
    let insert = |text: &str| json!({"label": "human", "new_str": text});
    let twice = Reply::tool_call("memory_insert", insert("One."))
        .call_id("same")
        .and_tool_call("memory_insert", insert("Two."))
        .call_id("same");
    let nameless = Reply::tool_call("memory_insert", insert("Three.")).call_id("");
    let again = Reply::tool_call("memory_insert", insert("Four.")).call_id("same");
    let id = format!("chatcmpl-tool-{}", "0".repeat(32));
    let long = Reply::tool_call("memory_insert", insert("Five."))
        .call_id(id.clone())
        .and_tool_call("memory_insert", insert("Six."))
        .call_id(id);
    world.provider.reply(twice).reply(nameless).reply(again).reply(long).reply(Reply::text("done"));
    let turn = world.say(&agent.id, "go").await.unwrap();
    assert_eq!(shown(&turn.messages).last().unwrap()["content"], "done");
    world.say(&agent.id, "and then?").await.unwrap();
    for chat in world.provider.chats() {
        check_history(chat.messages());
    }
}

#[tokio::test]
async fn mutilated_calls_are_answered_and_the_history_stays_whole() {
    let world = World::new().await;
    let agent = world.agent().await;
    let good = r#"{"label":"human","new_str":"Likes \"tea\" \u00e9."}"#;
    let mut rounds = 0;
    for cut in (0..good.len()).step_by(4) {
        world.provider.reply(Reply::raw_tool_call("memory_insert", &good[..cut])).reply(Reply::text("ok"));
        let turn = world.say(&agent.id, "go").await.unwrap();
        let shown = shown(&turn.messages);
        assert_eq!(shown[1]["status"], "error", "{cut}: {shown:?}");
        rounds += 1;
    }
    let lengthy = "x".repeat(100);
    for name in ["", "../memory_insert", "functions.memory_insert", "MEMORY_INSERT", "memory_insert\u{202e}", &lengthy]
    {
        world.provider.reply(Reply::raw_tool_call(name, good)).reply(Reply::text("ok"));
        let turn = world.say(&agent.id, "go").await.unwrap();
        assert!(shown(&turn.messages).iter().all(|message| message["status"] != "success"), "{name:?}");
        rounds += 1;
    }
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.");
    let chats = world.provider.chats();
    assert!(chats.len() >= rounds);
    check_history(chats.last().unwrap().messages());
}

#[tokio::test]
async fn broken_streams_leave_the_agent_as_it_was() {
    let world = World::new().await;
    let agent = world.agent().await;
    let hello = "data: {\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}\n\n";
    for broken in [
        hello.to_owned(),
        format!("{hello}data: {{\"choi"),
        format!("{hello}data: <html>\n\n"),
        format!("{hello}data: {{\"error\":{{\"message\":\"boom\",\"code\":502}}}}\n\n"),
        format!(
            "{hello}data: {{\"choices\":[{{\"delta\":{{\"tool_calls\":[{{\"index\":0,\"id\":\"c\",\"function\":{{\"name\":\"memory_insert\",\"arguments\":\"{{\"}}}}]}}}}]}}\n\n"
        ),
    ] {
        world.provider.raw_sse(broken.clone());
        let mut body = say("doomed");
        body.stream_tokens = Some(true);
        let stream = world.core.start_stream(&world.actor, &agent.id, body).await.unwrap();
        let events: Vec<TurnEvent> = stream.collect().await;
        assert!(matches!(events.last(), Some(TurnEvent::Error(_))), "{broken}: {events:?}");
        let state = world.core.get_agent(&world.actor, &agent.id, Include::NONE).await.unwrap();
        assert_eq!(state.message_ids.len(), 1, "{broken}");
    }
    world.provider.reply(Reply::text("fine"));
    let turn = world.say(&agent.id, "still there?").await.unwrap();
    assert_eq!(shown(&turn.messages)[0]["content"], "fine");
    let chats = world.provider.chats();
    let roles: Vec<&Value> = chats.last().unwrap().messages().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["system", "user"], "nothing of what failed is left");
}

async fn texts_come_through_as_they_are(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    for text in [
        "\u{202e}gnp.exe\u{202c} \u{200f}\u{2066}x\u{2069}",
        "e\u{301} is not \u{e9}",
        "\u{feff}\u{200b}x\u{fffd}\u{ffff}\u{10ffff}",
        "\u{1}\u{7f}\u{85}\u{2028} \\u0000 \\ud800",
        "👩‍👩‍👧 東京 \u{1f1e9}\u{1f1ea}",
        "'; DROP TABLE messages; -- %_\\ $1 ?1 :x NEAR(a b) \"q\" a & b | !c <-> d",
    ] {
        world.provider.reply(Reply::text(text));
        let turn = world.say(&agent.id, text).await.unwrap();
        assert_eq!(shown(&turn.messages)[0]["content"], text);
        let chat = world.provider.chats().pop().unwrap();
        assert_eq!(chat.last_user_text(), text, "the model reads what was written");
        let page = Page { before: None, after: None, limit: 2, order: Order::Desc };
        let config = RequestConfig::default();
        let kept = world.core.list_messages(&world.actor, &agent.id, &page, &config, None, false).await.unwrap();
        assert!(shown(&kept).iter().all(|message| message["content"] == text), "{kept:?}");
        world
            .provider
            .reply(Reply::tool_call("conversation_search", json!({"query": text})))
            .reply(Reply::text("searched"));
        let turn = world.say(&agent.id, "search").await.unwrap();
        assert_eq!(shown(&turn.messages)[1]["status"], "success", "{text}: {turn:?}");
    }
}

async fn what_not_every_database_keeps_is_replaced(database: On) {
    let world = World::on(database).await;
    let agent = world.agent().await;
    let insert = json!({"label": "human", "new_str": "a\u{0}b"});
    world
        .provider
        .reply(Reply::tool_call("memory_insert", insert).call_id("i\u{0}d").with_reasoning("r\u{0}"))
        .reply(Reply::raw_tool_call("memory_insert", r#"{"label": "human", "new_str": "c\ud83dd"}"#))
        .reply(Reply::tool_call("memory\u{0}_insert", json!({})))
        .reply(Reply::text("x\u{0}y"));
    let turn = world.say(&agent.id, "go").await.unwrap();
    let shown = shown(&turn.messages);
    assert_eq!(shown[0]["reasoning"], "r\u{fffd}");
    assert_eq!((&shown[2]["status"], &shown[2]["tool_call_id"]), (&json!("success"), &json!("i\u{fffd}d")));
    assert_eq!(shown.last().unwrap()["content"], "x\u{fffd}y");
    assert_eq!(world.block(&agent.id, "human").await, "Name: Ada.\na\u{fffd}b\nc\u{fffd}d");
    for chat in world.provider.chats() {
        check_history(chat.messages());
    }
}

#[tokio::test]
async fn what_not_every_database_keeps_on_sqlite() {
    what_not_every_database_keeps_is_replaced(On::Sqlite).await;
}

#[tokio::test]
async fn what_not_every_database_keeps_on_postgres() {
    what_not_every_database_keeps_is_replaced(On::Postgres).await;
}

#[tokio::test]
async fn odd_texts_on_sqlite() {
    texts_come_through_as_they_are(On::Sqlite).await;
}

#[tokio::test]
async fn odd_texts_on_postgres() {
    texts_come_through_as_they_are(On::Postgres).await;
}
