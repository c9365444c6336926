//! Messages: order, pages, changes.

use mneme_domain::{
    AgentId, MessageId, Order, Page, RunId, StepId,
    content::{ContentPart, ImageSource},
    message::{Message, MessageRole, StoredToolCall, StoredToolReturn, ToolStatus},
};
use mneme_store::{
    Conn, StoreError, agents,
    messages::{self, MessageFilter, MessageSearch},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, first, message},
    on_both,
};

on_both!(
    every_field_survives,
    cursors_go_by_time_whatever_the_order,
    lists_are_filtered,
    the_messages_of_all_agents_are_one_list,
    a_changed_message_is_found_by_its_new_words,
    many_messages_go_in_one_call,
    huge_messages_are_kept,
    vectors_follow_their_messages,
);

async fn home(c: &mut Conn, w: &World) -> AgentId {
    let agent = agent("speaker");
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent.id
}

fn say(agent: &AgentId, text: &str, seconds: i64) -> Message {
    message(agent, MessageRole::User, text, seconds)
}

async fn every_field_survives(w: World) {
    let mut c = w.write().await;
    let speaker = home(&mut c, &w).await;
    let full = Message {
        created_by_id: Some("u1".into()),
        last_updated_by_id: Some("u2".into()),
        updated_at: None,
        model: Some("gpt".into()),
        content: vec![
            ContentPart::text(TRICKY),
            ContentPart::Reasoning { is_native: true, reasoning: TRICKY.into(), signature: Some("s".into()) },
            ContentPart::Image { source: ImageSource::Url { url: "http://localhost/i.png".into() } },
        ],
        name: Some("n".into()),
        tool_calls: Some(vec![StoredToolCall::new("call-1", "f", "{ \"b\": 1,  \"a\": 2 }")]),
        tool_call_id: Some("call-0".into()),
        step_id: Some(StepId::from_uuid(Uuid::new_v4())),
        run_id: Some(RunId::from_uuid(Uuid::new_v4())),
        otid: Some("o".into()),
        tool_returns: vec![StoredToolReturn {
            tool_call_id: None,
            status: ToolStatus::Error,
            stdout: Some(vec!["a".into()]),
            stderr: None,
            func_response: Some(TRICKY.into()),
        }],
        group_id: Some("g".into()),
        sender_id: Some("s".into()),
        batch_item_id: Some("b".into()),
        is_err: Some(true),
        approval_request_id: Some("r".into()),
        approve: Some(false),
        denial_reason: Some("no".into()),
        approvals: Some(vec![json!({"z": 1, "a": 2})]),
        ..message(&speaker, MessageRole::Approval, "", 1)
    };
    let bare = say(&speaker, "", 0);
    messages::append(&mut c, &w.actor, &[full.clone(), bare.clone()]).await.unwrap();
    assert_eq!(messages::get(&mut c, &w.actor, &full.id).await.unwrap(), Some(full.clone()));
    let ids = [bare.id.clone(), MessageId::from_uuid(Uuid::new_v4()), full.id.clone(), bare.id.clone()];
    let many = messages::get_many(&mut c, &w.actor, &ids).await.unwrap();
    assert_eq!(many, [bare.clone(), full.clone(), bare.clone()]);
    assert_eq!(messages::get_many(&mut c, &w.actor, &[]).await.unwrap(), []);
    messages::append(&mut c, &w.actor, &[]).await.unwrap();
    assert_eq!(messages::count(&mut c, &w.actor, &speaker).await.unwrap(), 2);

    let changed = Message { id: bare.id.clone(), ..full.clone() };
    messages::update(&mut c, &w.actor, &changed).await.unwrap();
    assert_eq!(messages::get(&mut c, &w.actor, &bare.id).await.unwrap(), Some(changed));
    let unknown = say(&speaker, "", 0);
    assert!(matches!(messages::update(&mut c, &w.actor, &unknown).await, Err(StoreError::NotFound)));
    assert_eq!(messages::delete_of_agent(&mut c, &w.actor, &speaker).await.unwrap(), 2);
    assert_eq!(messages::count(&mut c, &w.actor, &speaker).await.unwrap(), 0);
    c.commit().await.unwrap();

    let mut c = w.write().await;
    let homeless = say(&agent("nobody").id, "x", 0);
    assert!(matches!(messages::append(&mut c, &w.actor, &[homeless]).await, Err(StoreError::NotFound)));
}

async fn cursors_go_by_time_whatever_the_order(w: World) {
    let mut c = w.write().await;
    let speaker = home(&mut c, &w).await;
    // All at the same time: the order of insertion decides.
    let all: Vec<Message> = (0..7).map(|number| say(&speaker, &number.to_string(), 0)).collect();
    messages::append(&mut c, &w.actor, &all[..3]).await.unwrap();
    messages::append(&mut c, &w.actor, &all[3..]).await.unwrap();
    let id = |index: usize| Some(all[index].id.to_string());
    let cases: Vec<(Page, &[&str])> = vec![
        (first(3, Order::Asc), &["0", "1", "2"]),
        (first(3, Order::Desc), &["6", "5", "4"]),
        (Page { before: id(3), ..first(2, Order::Asc) }, &["0", "1"]),
        (Page { before: id(3), ..first(2, Order::Desc) }, &["2", "1"]),
        (Page { after: id(3), ..first(2, Order::Asc) }, &["4", "5"]),
        (Page { after: id(3), ..first(2, Order::Desc) }, &["6", "5"]),
        (Page { after: id(1), before: id(5), ..first(9, Order::Desc) }, &["4", "3", "2"]),
        (Page { after: Some("message-unknown".into()), ..first(1, Order::Asc) }, &["0"]),
    ];
    for (page, expected) in cases {
        let found = messages::list(&mut c, &w.actor, &speaker, &MessageFilter::default(), &page).await.unwrap();
        assert_eq!(found.iter().map(Message::text).collect::<Vec<_>>(), expected, "{page:?}");
    }
}

async fn lists_are_filtered(w: World) {
    let mut c = w.write().await;
    let speaker = home(&mut c, &w).await;
    let other = home(&mut c, &w).await;
    let run = RunId::from_uuid(Uuid::new_v4());
    let step = StepId::from_uuid(Uuid::new_v4());
    let all = [
        say(&speaker, "plain", 0),
        Message { is_err: Some(true), run_id: Some(run.clone()), ..say(&speaker, "failed", 1) },
        Message {
            is_err: Some(false),
            run_id: Some(run.clone()),
            step_id: Some(step.clone()),
            ..say(&speaker, "fine", 2)
        },
        Message { group_id: Some("g".into()), ..say(&speaker, "grouped", 3) },
        Message { run_id: Some(run.clone()), ..say(&other, "other", 4) },
    ];
    messages::append(&mut c, &w.actor, &all).await.unwrap();
    let filter = MessageFilter { include_err: true, ..MessageFilter::default() };
    let cases: Vec<(MessageFilter, &[&str])> = vec![
        (filter.clone(), &["plain", "failed", "fine", "grouped"]),
        (MessageFilter::default(), &["plain", "fine", "grouped"]),
        (MessageFilter { group_id: Some("g".into()), ..filter.clone() }, &["grouped"]),
        (MessageFilter { run_id: Some(run.clone()), ..filter.clone() }, &["failed", "fine"]),
    ];
    let texts = |found: Vec<Message>| found.iter().map(Message::text).collect::<Vec<_>>();
    for (filter, expected) in cases {
        let found = messages::list(&mut c, &w.actor, &speaker, &filter, &Page::all()).await.unwrap();
        assert_eq!(texts(found), expected, "{filter:?}");
    }
    let found = messages::by_run(&mut c, &w.actor, &run, &first(2, Order::Desc)).await.unwrap();
    assert_eq!(texts(found), ["other", "fine"]);
    let found = messages::by_step(&mut c, &w.actor, &step, &Page::all()).await.unwrap();
    assert_eq!(texts(found), ["fine"]);
}

async fn the_messages_of_all_agents_are_one_list(w: World) {
    let mut c = w.write().await;
    let (one, two) = (home(&mut c, &w).await, home(&mut c, &w).await);
    let failed = Message { is_err: Some(true), ..say(&two, "failed", 2) };
    let all = [say(&one, "a", 0), say(&two, "b", 1), failed, say(&one, "c", 3)];
    messages::append(&mut c, &w.actor, &all).await.unwrap();
    let id = |index: usize| Some(all[index].id.to_string());
    let cases: Vec<(Page, &[&str])> = vec![
        (first(9, Order::Asc), &["a", "b", "c"]),
        (first(2, Order::Desc), &["c", "b"]),
        (Page { after: id(1), ..first(9, Order::Desc) }, &["a"]),
        (Page { before: id(1), ..first(9, Order::Desc) }, &["c"]),
    ];
    for (page, expected) in cases {
        let found = messages::list_all(&mut c, &w.actor, &page).await.unwrap();
        assert_eq!(found.iter().map(Message::text).collect::<Vec<_>>(), expected, "{page:?}");
    }
}

async fn a_changed_message_is_found_by_its_new_words(w: World) {
    let mut c = w.write().await;
    let speaker = home(&mut c, &w).await;
    let mut said = say(&speaker, "apple", 0);
    messages::append(&mut c, &w.actor, std::slice::from_ref(&said)).await.unwrap();
    let search = |query: &str| MessageSearch {
        agent_id: None,
        project_id: None,
        template_id: None,
        query: Some(query.to_owned()),
        roles: vec![],
        start: None,
        end: None,
        limit: 9,
        offset: 0,
    };
    // Also through no words at all, which the index does not hold.
    for (text, found, lost) in [("banana", "banana", "apple"), ("", "", "banana"), ("cherry", "cherry", "banana")] {
        said.content = vec![ContentPart::text(text)];
        messages::update(&mut c, &w.actor, &said).await.unwrap();
        assert_eq!(messages::search(&mut c, &w.actor, &search(found)).await.unwrap().len(), 1, "{text}");
        assert_eq!(messages::search(&mut c, &w.actor, &search(lost)).await.unwrap(), [], "{text}");
    }
    assert_eq!(messages::delete_of_agent(&mut c, &w.actor, &speaker).await.unwrap(), 1);
    assert_eq!(messages::search(&mut c, &w.actor, &search("cherry")).await.unwrap(), []);
}

async fn many_messages_go_in_one_call(w: World) {
    let mut c = w.write().await;
    let speaker = home(&mut c, &w).await;
    let all: Vec<Message> = (0..2500).map(|number| say(&speaker, &format!("m{number}"), number)).collect();
    messages::append(&mut c, &w.actor, &all).await.unwrap();
    let ids: Vec<MessageId> = all.iter().map(|message| message.id.clone()).collect();
    assert_eq!(messages::get_many(&mut c, &w.actor, &ids).await.unwrap(), all);
    let newest =
        messages::list(&mut c, &w.actor, &speaker, &MessageFilter::default(), &first(2, Order::Desc)).await.unwrap();
    assert_eq!(newest, [all[2499].clone(), all[2498].clone()]);
}

async fn huge_messages_are_kept(w: World) {
    let mut c = w.write().await;
    let speaker = home(&mut c, &w).await;
    // A word that no index takes whole, and more distinct words than an index entry may hold.
    let many: Vec<String> = (0..300_000).map(|number| format!("word{number}")).collect();
    let texts = ["x".repeat(3_000_000), many.join(" ")];
    for text in &texts {
        messages::append(&mut c, &w.actor, &[say(&speaker, text, 0)]).await.unwrap();
    }
    let found = messages::list(&mut c, &w.actor, &speaker, &MessageFilter::default(), &Page::all()).await.unwrap();
    assert_eq!(found.iter().map(Message::text).collect::<Vec<_>>(), texts);
}

async fn vectors_follow_their_messages(w: World) {
    let (mut c, a) = (w.write().await, &w.actor);
    let speaker = home(&mut c, &w).await;
    let said = [say(&speaker, "one", 0), say(&speaker, "two", 1), say(&speaker, "three", 2)];
    messages::append(&mut c, a, &said).await.unwrap();
    let bare = messages::said_after(&mut c, a, &speaker, "m/a", 0, 9).await.unwrap();
    assert_eq!(bare.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["one", "two", "three"]);

    // One was edited and one deleted while their vectors were made: neither gets one of its old text.
    let mut edited = said[1].clone();
    edited.content = vec![ContentPart::text("zwei")];
    messages::update(&mut c, a, &edited).await.unwrap();
    let mut made: Vec<_> = bare.into_iter().zip([vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 1.0]]).collect();
    made[2].0.id = MessageId::from_uuid(Uuid::new_v4());
    messages::embed(&mut c, a, &speaker, "m/a", &made).await.unwrap();
    let search = MessageSearch {
        agent_id: Some(speaker.clone()),
        project_id: None,
        template_id: None,
        query: Some("x".into()),
        roles: vec![],
        start: None,
        end: None,
        limit: 9,
        offset: 0,
    };
    let own = std::slice::from_ref(&speaker);
    let near = messages::search_vectors(&mut c, a, &search, own, "m/a", &[1.0, 0.0]).await.unwrap();
    assert_eq!(near.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&said[0].id]);
    let left = messages::said_after(&mut c, a, &speaker, "m/a", 0, 9).await.unwrap();
    assert_eq!(left.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["zwei", "three"]);

    // With another model all are made again, and those of the old one go as the new ones come.
    let bare = messages::said_after(&mut c, a, &speaker, "m/b", 0, 9).await.unwrap();
    assert_eq!(bare.len(), 3);
    let made: Vec<_> = bare.into_iter().map(|one| (one, vec![0.0, 0.0, 1.0])).collect();
    messages::embed(&mut c, a, &speaker, "m/b", &made).await.unwrap();
    let old = messages::search_vectors(&mut c, a, &search, own, "m/a", &[1.0, 0.0]).await.unwrap();
    assert!(old.is_empty(), "{old:?}");
    let new = messages::search_vectors(&mut c, a, &search, own, "m/b", &[0.0, 0.0, 1.0]).await.unwrap();
    assert_eq!(new.len(), 3);

    messages::forget_vector(&mut c, a, &said[0].id).await.unwrap();
    messages::delete_of_agent(&mut c, a, &speaker).await.unwrap();
    let gone = messages::search_vectors(&mut c, a, &search, own, "m/b", &[0.0, 0.0, 1.0]).await.unwrap();
    assert!(gone.is_empty() && messages::embedded_agents(&mut c, a, 9).await.unwrap().is_empty());
}
