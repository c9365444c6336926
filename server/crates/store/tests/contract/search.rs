//! Search in messages.

use mneme_domain::{
    AgentId,
    agent::Agent,
    message::{Message, MessageRole, StoredToolCall},
};
use mneme_store::{
    Conn, agents,
    messages::{self, MessageSearch},
};

use crate::{
    fixtures::{World, agent, at, message},
    on_both,
};

on_both!(
    words_find_messages,
    every_character_stands_for_itself,
    scripts_without_spaces_are_searched_too,
    searches_are_narrowed,
    the_older_answering_tool_is_searched,
);

fn query(text: &str) -> MessageSearch {
    MessageSearch {
        agent_id: None,
        project_id: None,
        template_id: None,
        query: Some(text.into()),
        roles: vec![],
        start: None,
        end: None,
        limit: 50,
        offset: 0,
    }
}

async fn home(c: &mut Conn, w: &World) -> AgentId {
    let agent = agent("speaker");
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent.id
}

/// Stores what was said, one second after the other.
async fn said(c: &mut Conn, w: &World, texts: &[&str]) -> AgentId {
    let speaker = home(c, w).await;
    let all: Vec<Message> =
        texts.iter().zip(0..).map(|(text, second)| message(&speaker, MessageRole::User, text, second)).collect();
    messages::append(c, &w.actor, &all).await.unwrap();
    speaker
}

async fn found(c: &mut Conn, w: &World, search: &MessageSearch) -> Vec<String> {
    messages::search(c, &w.actor, search).await.unwrap().iter().map(Message::text).collect()
}

async fn words_find_messages(w: World) {
    let mut c = w.write().await;
    said(
        &mut c,
        &w,
        &[
            "I adopted a cat",
            "The weather is fine",
            "My CAT and my dog",
            "concatenate",
            "https://cats.example/cat-food?x=cat_toy",
        ],
    )
    .await;
    let cases: Vec<(&str, &[&str])> = vec![
        // Of messages that fit equally the newest comes first; an address is made of words like anything else.
        ("dog", &["My CAT and my dog"]),
        ("WEATHER", &["The weather is fine"]),
        ("concat", &[]),
        ("example", &["https://cats.example/cat-food?x=cat_toy"]),
        ("nothing here fits", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&mut c, &w, &query(text)).await, expected, "{text}");
    }
    let mut cats = found(&mut c, &w, &query("cat")).await;
    cats.sort();
    assert_eq!(cats, ["I adopted a cat", "My CAT and my dog", "https://cats.example/cat-food?x=cat_toy"]);
    // One word is enough, more are better.
    let best = found(&mut c, &w, &query("What about my dog or cat?")).await;
    assert_eq!(best[0], "My CAT and my dog");
    assert!(best.len() >= 3);
    let none = MessageSearch { query: None, ..query("") };
    let newest_first: Vec<String> = found(&mut c, &w, &none).await;
    assert_eq!((newest_first.len(), newest_first[4].as_str()), (5, "I adopted a cat"));
    assert_eq!(found(&mut c, &w, &query("  \n")).await, newest_first);
}

async fn every_character_stands_for_itself(w: World) {
    let mut c = w.write().await;
    let texts = ["a 100% b", "a_b", "quote \" and ' and \\", "(paren) * ^ :", "NEAR(x y) AND z", "é e\u{301}"];
    said(&mut c, &w, &texts).await;
    let cases: Vec<(&str, &[&str])> = vec![
        ("%", &["a 100% b"]),
        ("_", &["a_b"]),
        ("\\", &["quote \" and ' and \\"]),
        ("\"", &["quote \" and ' and \\"]),
        ("'", &["quote \" and ' and \\"]),
        ("* ^", &["(paren) * ^ :"]),
        ("()", &[]),
        ("(paren", &["(paren) * ^ :"]),
        ("paren*", &["(paren) * ^ :"]),
        ("par*", &[]),
        ("near:(paren)", &["NEAR(x y) AND z", "(paren) * ^ :"]),
        ("z)", &["NEAR(x y) AND z"]),
        ("text:paren", &["(paren) * ^ :"]),
        ("paren'; drop table messages; --", &["(paren) * ^ :"]),
        ("é", &["é e\u{301}"]),
        ("!paren & | <-> 100:*A", &["(paren) * ^ :", "a 100% b"]),
    ];
    for (text, expected) in cases {
        let mut found = found(&mut c, &w, &query(text)).await;
        // Which of several is best is up to the engine.
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        if text == "!paren & | <-> 100:*A" {
            // "a" is a word of two more messages.
            assert!(expected.iter().all(|text| found.iter().any(|found| found == text)));
            continue;
        }
        assert_eq!(found, expected, "{text}");
    }
    let long = "word ".repeat(20_000);
    assert_eq!(found(&mut c, &w, &query(&long)).await, Vec::<String>::new());
}

async fn scripts_without_spaces_are_searched_too(w: World) {
    let mut c = w.write().await;
    said(
        &mut c,
        &w,
        &["今日は東京に行きました", "สวัสดีครับ", "서울에서 만나요", "Привет, МИР", "مرحبا بالعالم", "👩‍👩‍👧 family"],
    )
    .await;
    let cases = [
        ("東京", "今日は東京に行きました"),
        ("สดี", "สวัสดีครับ"),
        ("서울", "서울에서 만나요"),
        ("мир", "Привет, МИР"),
        ("مرحبا", "مرحبا بالعالم"),
        ("👩‍👩‍👧", "👩‍👩‍👧 family"),
    ];
    for (text, expected) in cases {
        assert_eq!(found(&mut c, &w, &query(text)).await, [expected], "{text}");
    }
}

async fn searches_are_narrowed(w: World) {
    let mut c = w.write().await;
    let one = said(&mut c, &w, &["red one", "red two", "red three"]).await;
    let two = home(&mut c, &w).await;
    let answers =
        [message(&two, MessageRole::Assistant, "red four", 10), message(&two, MessageRole::Tool, "red five", 11)];
    messages::append(&mut c, &w.actor, &answers).await.unwrap();
    let planned = Agent { project_id: Some("p".into()), template_id: Some("t".into()), ..agent("planned") };
    agents::insert(&mut c, &w.actor, &planned).await.unwrap();
    let plan = message(&planned.id, MessageRole::User, "blue", 12);
    messages::append(&mut c, &w.actor, &[plan, message(&one, MessageRole::User, "blue elsewhere", 13)]).await.unwrap();
    let (red, blue) = (query("red"), query("blue"));
    let cases: Vec<(MessageSearch, &[&str])> = vec![
        (red.clone(), &["red five", "red four", "red three", "red two", "red one"]),
        (MessageSearch { agent_id: Some(one.clone()), ..red.clone() }, &["red three", "red two", "red one"]),
        (
            MessageSearch { roles: vec![MessageRole::Assistant, MessageRole::Tool], ..red.clone() },
            &["red five", "red four"],
        ),
        (MessageSearch { start: Some(at(2)), ..red.clone() }, &["red five", "red four", "red three"]),
        (MessageSearch { end: Some(at(1)), ..red.clone() }, &["red two", "red one"]),
        (MessageSearch { start: Some(at(1)), end: Some(at(1)), ..red.clone() }, &["red two"]),
        (MessageSearch { limit: 2, offset: 1, ..red.clone() }, &["red four", "red three"]),
        (MessageSearch { query: None, agent_id: Some(two), ..red.clone() }, &["red five", "red four"]),
        (MessageSearch { limit: 0, ..red.clone() }, &[]),
        (MessageSearch { project_id: Some("p".into()), ..blue.clone() }, &["blue"]),
        (MessageSearch { template_id: Some("t".into()), query: None, ..blue.clone() }, &["blue"]),
        (MessageSearch { project_id: Some("p".into()), template_id: Some("other".into()), ..blue.clone() }, &[]),
    ];
    for (search, expected) in cases {
        assert_eq!(found(&mut c, &w, &search).await, expected, "{search:?}");
    }
}

async fn the_older_answering_tool_is_searched(w: World) {
    let mut c = w.write().await;
    let speaker = home(&mut c, &w).await;
    let mut answer = message(&speaker, MessageRole::Assistant, "thinking", 0);
    answer.tool_calls = Some(vec![
        StoredToolCall::new("1", "send_message", r#"{"message": "Greetings, traveller"}"#),
        StoredToolCall::new("2", "other", r#"{"message": "unsaid"}"#),
        StoredToolCall::new("3", "send_message", "broken"),
    ]);
    messages::append(&mut c, &w.actor, &[answer]).await.unwrap();
    assert_eq!(found(&mut c, &w, &query("traveller")).await.len(), 1);
    assert_eq!(found(&mut c, &w, &query("unsaid")).await.len(), 0);
    assert_eq!(found(&mut c, &w, &query("thinking")).await.len(), 1);
}
