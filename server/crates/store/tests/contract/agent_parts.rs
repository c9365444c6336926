//! What hangs off agents: tags, variables, blocks and tools together.

use std::sync::Arc;

use mneme_domain::{
    AgentId, Order, Page,
    agent::{Agent, AgentFull, Include},
};
use mneme_store::{Conn, StoreError, agents, blocks, tags, tools};
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, block, first, tool},
    on_both,
};

on_both!(tags_are_listed_in_order, variables_are_replaced_in_place, relationships_come_as_asked_for);

async fn add(c: &mut Conn, w: &World, agent: Agent) -> Agent {
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent
}

async fn tags_are_listed_in_order(w: World) {
    let mut c = w.write().await;
    let one = add(&mut c, &w, agent("one")).await;
    let two = add(&mut c, &w, agent("two")).await;
    let given = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    agents::set_tags(&mut c, &w.actor, &one.id, &given(&["old"])).await.unwrap();
    agents::set_tags(&mut c, &w.actor, &one.id, &given(&["b", "ü", "a", "b", "B"])).await.unwrap();
    agents::set_tags(&mut c, &w.actor, &two.id, &given(&["b", "50%", "_"])).await.unwrap();
    assert_eq!(agents::tags_of(&mut c, &w.actor, &one.id).await.unwrap(), ["b", "ü", "a", "B"]);

    let all = tags::list(&mut c, &w.actor, None, &first(9, Order::Asc)).await.unwrap();
    assert_eq!(all, ["50%", "B", "_", "a", "b", "ü"]);
    let down = tags::list(&mut c, &w.actor, None, &first(2, Order::Desc)).await.unwrap();
    assert_eq!(down, ["ü", "b"]);
    let after = Page { after: Some("_".into()), ..first(2, Order::Asc) };
    assert_eq!(tags::list(&mut c, &w.actor, None, &after).await.unwrap(), ["a", "b"]);
    let before = Page { before: Some("b".into()), ..first(2, Order::Asc) };
    assert_eq!(tags::list(&mut c, &w.actor, None, &before).await.unwrap(), ["_", "a"]);
    assert_eq!(tags::list(&mut c, &w.actor, Some("%"), &first(9, Order::Asc)).await.unwrap(), ["50%"]);
    assert_eq!(tags::list(&mut c, &w.actor, Some("b"), &first(9, Order::Asc)).await.unwrap(), ["B", "b"]);

    let missing = agents::set_tags(&mut c, &w.actor, &agent("nobody").id, &given(&["x"])).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
}

async fn variables_are_replaced_in_place(w: World) {
    let mut c = w.write().await;
    let owner = add(&mut c, &w, agent("owner")).await;
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let given = [pair("TOKEN", TRICKY), pair("A", ""), pair("GONE", "1")];
    agents::set_variables(&mut c, &w.actor, &owner.id, &given).await.unwrap();
    let old = agents::variables_of(&mut c, &w.actor, &owner.id).await.unwrap();
    let seen: Vec<(&str, &str)> = old.iter().map(|variable| (variable.key.as_str(), variable.value.as_str())).collect();
    assert_eq!(seen, [("TOKEN", TRICKY), ("A", ""), ("GONE", "1")]);
    assert!(old[0].id.starts_with("agent-env-"));
    assert_eq!(old[0].agent_id, owner.id);

    agents::set_variables(&mut c, &w.actor, &owner.id, &[pair("NEW", "x"), pair("TOKEN", "1"), pair("TOKEN", "2")])
        .await
        .unwrap();
    let new = agents::variables_of(&mut c, &w.actor, &owner.id).await.unwrap();
    let seen: Vec<(&str, &str)> = new.iter().map(|variable| (variable.key.as_str(), variable.value.as_str())).collect();
    assert_eq!(seen, [("NEW", "x"), ("TOKEN", "2")]);
    assert_eq!((&new[1].id, new[1].created_at), (&old[0].id, old[0].created_at));
    agents::set_variables(&mut c, &w.actor, &owner.id, &[]).await.unwrap();
    assert_eq!(agents::variables_of(&mut c, &w.actor, &owner.id).await.unwrap(), []);
}

async fn relationships_come_as_asked_for(w: World) {
    let mut c = w.write().await;
    let shared = tool("shared");
    let own = tool("own");
    for tool in [&shared, &own] {
        tools::insert(&mut c, &w.actor, tool, at(0)).await.unwrap();
    }
    let mut expected = Vec::new();
    for name in ["one", "two", "three"] {
        let agent = add(&mut c, &w, agent(name)).await;
        let mut full = AgentFull {
            agent,
            tags: vec![],
            blocks: vec![],
            tools: vec![],
            variables: vec![],
            identities: vec![],
            group: None,
            folders: vec![],
            open_files: vec![],
        };
        if name != "three" {
            let id = &full.agent.id;
            full.tags = vec!["z".into(), name.into()];
            agents::set_tags(&mut c, &w.actor, id, &full.tags).await.unwrap();
            for label in ["human", "persona"] {
                let block = block(label, name);
                blocks::insert(&mut c, &w.actor, &block, at(0)).await.unwrap();
                blocks::attach(&mut c, &w.actor, id, &block.id).await.unwrap();
                full.blocks.push(block);
            }
            full.tools = vec![Arc::new(shared.clone())];
            if name == "two" {
                full.tools.insert(0, Arc::new(own.clone()));
            }
            let tool_ids: Vec<_> = full.tools.iter().map(|tool| tool.id.clone()).collect();
            tools::set_of_agent(&mut c, &w.actor, id, &tool_ids).await.unwrap();
            agents::set_variables(&mut c, &w.actor, id, &[("K".into(), name.into())]).await.unwrap();
            full.variables = agents::variables_of(&mut c, &w.actor, id).await.unwrap();
        }
        expected.push(full);
    }
    for full in &expected {
        let found = agents::full(&mut c, &w.actor, &full.agent.id, Include::ALL).await.unwrap();
        assert_eq!(found.as_ref(), Some(full));
    }
    let agents_only: Vec<Agent> = expected.iter().rev().map(|full| full.agent.clone()).collect();
    let many = agents::full_many(&mut c, &w.actor, agents_only.clone(), Include::ALL).await.unwrap();
    expected.reverse();
    assert_eq!(many, expected);
    let bare = agents::full_many(&mut c, &w.actor, agents_only, Include::NONE).await.unwrap();
    assert!(bare.iter().all(|full| full.tags.is_empty() && full.blocks.is_empty() && full.tools.is_empty()));
    let blocks_only = Include { blocks: true, ..Include::NONE };
    let found = agents::full(&mut c, &w.actor, &expected[1].agent.id, blocks_only).await.unwrap().unwrap();
    assert_eq!(found.blocks, expected[1].blocks);
    assert!(found.tools.is_empty() && found.tags.is_empty() && found.variables.is_empty());
    assert_eq!(agents::full(&mut c, &w.actor, &AgentId::from_uuid(Uuid::new_v4()), Include::ALL).await.unwrap(), None);
}
