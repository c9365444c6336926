//! Statements that travel together, transactions that are dropped, and tools that are kept in memory.

use mneme_domain::{
    AgentId,
    agent::{AgentFull, Include},
    message::MessageRole,
    tool::Tool,
};
use mneme_store::{Store, StoreError, agents, blocks, messages, tools};
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, block, message, tool},
    on_both,
};

on_both!(
    gathered_statements_arrive_with_the_commit,
    an_answer_sees_what_was_gathered_before_it,
    nothing_is_left_of_a_failure,
    dropped_transactions_leave_nothing,
    a_changed_tool_is_seen_at_once,
    what_a_transaction_sees_of_a_tool_stays_in_it,
    an_agent_comes_with_everything,
);

async fn gathered_statements_arrive_with_the_commit(w: World) {
    let one = agent("one");
    let (first, second) =
        (message(&one.id, MessageRole::User, TRICKY, 1), message(&one.id, MessageRole::User, "$2", 2));
    let blocks = [block("human", TRICKY), block("persona", "$1")];
    let mut c = w.write().await;
    c.gather();
    agents::insert(&mut c, &w.actor, &one).await.unwrap();
    messages::append(&mut c, &w.actor, &[first.clone(), second.clone()]).await.unwrap();
    blocks::insert_many(&mut c, &w.actor, &blocks, at(0)).await.unwrap();
    let ids = [blocks[1].id.clone(), blocks[0].id.clone()];
    agents::set_blocks(&mut c, &w.actor, &one.id, &ids).await.unwrap();
    agents::set_tags(&mut c, &w.actor, &one.id, &["b".into(), "a".into()]).await.unwrap();
    c.commit().await.unwrap();

    let mut c = w.read().await;
    let full = agents::full(&mut c, &w.actor, &one.id, Include::ALL).await.unwrap().unwrap();
    assert_eq!(full.tags, ["b", "a"]);
    assert_eq!(full.blocks, [blocks[1].clone(), blocks[0].clone()]);
    let ids = [first.id.clone(), second.id.clone()];
    assert_eq!(messages::get_many(&mut c, &w.actor, &ids).await.unwrap(), [first, second]);
}

async fn an_answer_sees_what_was_gathered_before_it(w: World) {
    let one = agent("one");
    let mut c = w.write().await;
    c.gather();
    agents::insert(&mut c, &w.actor, &one).await.unwrap();
    messages::append(&mut c, &w.actor, &[message(&one.id, MessageRole::User, "x", 1)]).await.unwrap();
    assert_eq!(messages::count(&mut c, &w.actor, &one.id).await.unwrap(), 1);
    // Of what travels together the changes of the last statement count.
    assert!(!agents::delete(&mut c, &w.actor, &AgentId::from_uuid(Uuid::new_v4())).await.unwrap());
    messages::append(&mut c, &w.actor, &[message(&one.id, MessageRole::User, "y", 2)]).await.unwrap();
    assert!(!agents::delete(&mut c, &w.actor, &AgentId::from_uuid(Uuid::new_v4())).await.unwrap());
    c.commit().await.unwrap();
    assert_eq!(messages::count(&mut w.read().await, &w.actor, &one.id).await.unwrap(), 2);
}

async fn nothing_is_left_of_a_failure(w: World) {
    let one = agent("one");
    let mut c = w.write().await;
    c.gather();
    let nobody = AgentId::from_uuid(Uuid::new_v4());
    let failed = async {
        agents::insert(&mut c, &w.actor, &one).await?;
        messages::append(&mut c, &w.actor, &[message(&nobody, MessageRole::User, "x", 1)]).await?;
        messages::count(&mut c, &w.actor, &one.id).await.map(drop)
    }
    .await;
    assert!(matches!(failed, Err(StoreError::NotFound)), "{failed:?}");
    // Whoever overlooks the failure does not get half of it written.
    assert!(agents::get(&mut c, &w.actor, &one.id).await.is_err());
    drop(c);
    assert_eq!(agents::get(&mut w.write().await, &w.actor, &one.id).await.unwrap(), None);
}

async fn dropped_transactions_leave_nothing(w: World) {
    for gathers in [false, true] {
        let one = agent("one");
        let mut c = w.write().await;
        if gathers {
            c.gather();
        }
        agents::insert(&mut c, &w.actor, &one).await.unwrap();
        assert!(agents::get(&mut c, &w.actor, &one.id).await.unwrap().is_some());
        drop(c);
        let mut c = w.write().await;
        assert_eq!(agents::get(&mut c, &w.actor, &one.id).await.unwrap(), None);
        // Given up on the way: whatever it got to, it is undone.
        let two = agent("two");
        {
            let mut insert = std::pin::pin!(agents::insert(&mut c, &w.actor, &two));
            let _ = futures::poll!(&mut insert);
        }
        drop(c);
        assert_eq!(agents::get(&mut w.write().await, &w.actor, &two.id).await.unwrap(), None);
    }
}

/// An agent with a tool, written by this server.
async fn agent_with_tool(w: &World) -> (AgentId, Tool) {
    let (one, tool) = (agent("one"), tool("tool"));
    let mut c = w.write().await;
    agents::insert(&mut c, &w.actor, &one).await.unwrap();
    tools::insert(&mut c, &w.actor, &tool, at(0)).await.unwrap();
    tools::attach(&mut c, &w.actor, &one.id, &tool.id).await.unwrap();
    c.commit().await.unwrap();
    (one.id, tool)
}

async fn read(store: &Store, w: &World, id: &AgentId) -> AgentFull {
    let mut c = store.read().await.unwrap();
    agents::full(&mut c, &w.actor, id, Include::ALL).await.unwrap().unwrap()
}

async fn a_changed_tool_is_seen_at_once(w: World) {
    let (id, mut tool) = agent_with_tool(&w).await;
    assert_eq!(*read(&w.store, &w, &id).await.tools[0], tool);
    for source in ["one", "two"] {
        tool.source_code = Some(source.into());
        let mut c = w.write().await;
        // A clock that stands still does not hide the change.
        tools::update(&mut c, &w.actor, &tool, at(0)).await.unwrap();
        c.commit().await.unwrap();
        assert_eq!(*read(&w.store, &w, &id).await.tools[0], tool);
        let mut c = w.read().await;
        let (_, equipped, _) = agents::equipment(&mut c, &w.actor, &id).await.unwrap();
        assert_eq!(*equipped[0], tool);
        let found = tools::find(&mut c, &w.actor, &[], &["tool".into()]).await.unwrap();
        assert_eq!(*found[0], tool);
        assert_eq!(tools::find(&mut c, &w.stranger, &[tool.id.clone()], &["tool".into()]).await.unwrap(), []);
    }
}

async fn what_a_transaction_sees_of_a_tool_stays_in_it(w: World) {
    let (id, tool) = agent_with_tool(&w).await;
    let mut changed = tool.clone();
    changed.source_code = Some("undone".into());
    let mut c = w.write().await;
    tools::update(&mut c, &w.actor, &changed, at(1)).await.unwrap();
    let full = agents::full(&mut c, &w.actor, &id, Include::ALL).await.unwrap().unwrap();
    assert_eq!(*full.tools[0], changed);
    drop(c);
    assert_eq!(*read(&w.store, &w, &id).await.tools[0], tool);
    changed.source_code = Some("done".into());
    let mut c = w.write().await;
    tools::update(&mut c, &w.actor, &changed, at(1)).await.unwrap();
    c.commit().await.unwrap();
    assert_eq!(*read(&w.store, &w, &id).await.tools[0], changed);
}

async fn an_agent_comes_with_everything(w: World) {
    let (id, tool) = agent_with_tool(&w).await;
    let mut own = block("human", TRICKY);
    own.description = Some(TRICKY.into());
    own.hidden = Some(false);
    own.read_only = true;
    let mut c = w.write().await;
    blocks::insert(&mut c, &w.actor, &own, at(0)).await.unwrap();
    blocks::attach(&mut c, &w.actor, &id, &own.id).await.unwrap();
    agents::set_tags(&mut c, &w.actor, &id, &[TRICKY.into()]).await.unwrap();
    agents::set_variables(&mut c, &w.actor, &id, &[("b".into(), TRICKY.into()), ("a".into(), "1".into())])
        .await
        .unwrap();
    c.commit().await.unwrap();

    let full = read(&w.store, &w, &id).await;
    assert_eq!(full.blocks, [own]);
    assert_eq!(*full.tools[0], tool);
    assert_eq!(full.tags, [TRICKY]);
    let variables: Vec<(&str, &str)> =
        full.variables.iter().map(|one| (one.key.as_str(), one.value.as_str())).collect();
    assert_eq!(variables, [("b", TRICKY), ("a", "1")]);
    let mut c = w.read().await;
    assert_eq!(agents::variables_of(&mut c, &w.actor, &id).await.unwrap(), full.variables);
    let listed = agents::full_many(&mut c, &w.actor, vec![full.agent.clone()], Include::ALL).await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&full));
    let bare = agents::full(&mut c, &w.actor, &id, Include::NONE).await.unwrap().unwrap();
    assert!(bare.tools.is_empty() && bare.blocks.is_empty() && bare.tags.is_empty() && bare.variables.is_empty());
    assert_eq!(agents::full(&mut c, &w.stranger, &id, Include::ALL).await.unwrap(), None);
    assert!(agents::equipment(&mut c, &w.stranger, &id).await.unwrap().1.is_empty());
}
