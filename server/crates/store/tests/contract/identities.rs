//! Identities: kept with their properties, known by one key, with their agents and blocks.

use mneme_domain::{
    Actor, IdentityId, Order, Page,
    agent::Include,
    identity::{Identity, IdentityProperty, IdentityType, PropertyType},
};
use mneme_store::{
    Conn, StoreError,
    agents::{self, AgentFilter},
    blocks::{self, BlockFilter},
    identities::{self, IdentityFilter},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, block, first},
    on_both,
};

on_both!(
    identities_are_kept,
    a_key_is_an_organisations_once,
    agents_and_blocks_belong_to_identities,
    lists_are_narrowed,
    a_stranger_sees_and_changes_nothing,
);

fn identity(a: &Actor, key: &str) -> Identity {
    Identity {
        id: IdentityId::from_uuid(Uuid::new_v4()),
        identifier_key: key.into(),
        name: TRICKY.into(),
        identity_type: IdentityType::User,
        project_id: Some("p".into()),
        agent_ids: Vec::new(),
        block_ids: Vec::new(),
        organization_id: a.org.clone(),
        properties: vec![
            IdentityProperty { key: "z".into(), value: json!({"b": TRICKY, "a": 1.5}), kind: PropertyType::Json },
            IdentityProperty { key: "a".into(), value: json!(true), kind: PropertyType::Boolean },
        ],
    }
}

async fn kept(c: &mut Conn, a: &Actor, key: &str) -> Identity {
    let identity = identity(a, key);
    identities::insert(c, a, &identity, at(0)).await.unwrap();
    identity
}

async fn identities_are_kept(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let mut one = kept(&mut c, a, "one").await;
    let two = kept(&mut c, a, "two").await;
    assert_eq!(identities::get(&mut c, a, &one.id).await.unwrap(), Some(one.clone()));
    let both = identities::get_many(&mut c, a, &[two.id.clone(), one.id.clone()]).await.unwrap();
    assert_eq!(both, [two.clone(), one.clone()]);
    assert_eq!(identities::by_key(&mut c, a, "two").await.unwrap(), Some(two.id.clone()));

    one.identity_type = IdentityType::Other;
    one.identifier_key = "uno".into();
    one.properties.clear();
    identities::update(&mut c, a, &one, at(1)).await.unwrap();
    assert_eq!(identities::get(&mut c, a, &one.id).await.unwrap(), Some(one.clone()));
    assert!(identities::delete(&mut c, a, &one.id).await.unwrap());
    assert!(!identities::delete(&mut c, a, &one.id).await.unwrap());
    assert!(matches!(identities::update(&mut c, a, &one, at(2)).await, Err(StoreError::NotFound)));
}

async fn a_key_is_an_organisations_once(w: World) {
    let mut c = w.write().await;
    kept(&mut c, &w.actor, "same").await;
    kept(&mut c, &w.stranger, "same").await;
    c.commit().await.unwrap();
    let mut c = w.write().await;
    let again = identities::insert(&mut c, &w.actor, &identity(&w.actor, "same"), at(0)).await;
    assert!(matches!(again, Err(StoreError::Conflict(rule)) if rule == "identities_org_id_identifier_key"));
}

async fn agents_and_blocks_belong_to_identities(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let (one, two) = (kept(&mut c, a, "one").await, kept(&mut c, a, "two").await);
    let (agent, other, block) = (agent("a"), agent("b"), block("human", "x"));
    agents::insert(&mut c, a, &agent).await.unwrap();
    agents::insert(&mut c, a, &other).await.unwrap();
    blocks::insert(&mut c, a, &block, at(0)).await.unwrap();
    for _ in 0..2 {
        identities::attach_agent(&mut c, a, &agent.id, &two.id).await.unwrap();
        identities::attach_block(&mut c, a, &block.id, &two.id).await.unwrap();
    }
    identities::attach_agent(&mut c, a, &agent.id, &one.id).await.unwrap();
    let found = identities::get(&mut c, a, &two.id).await.unwrap().unwrap();
    assert_eq!((found.agent_ids, found.block_ids), (vec![agent.id.clone()], vec![block.id.clone()]));
    let include = Include { identities: true, ..Include::NONE };
    let full = agents::full(&mut c, a, &agent.id, include).await.unwrap().unwrap();
    let ids: Vec<IdentityId> = full.identities.iter().map(|identity| identity.id.clone()).collect();
    assert_eq!(ids, [two.id.clone(), one.id.clone()], "in the order of their attachment");
    let many = agents::full_many(&mut c, a, vec![other.clone(), agent.clone()], include).await.unwrap();
    assert_eq!((many[0].identities.len(), many[1].identities.len()), (0, 2));

    identities::set_of_agent(&mut c, a, &agent.id, &[one.id.clone(), one.id.clone()]).await.unwrap();
    assert!(identities::agents_of(&mut c, a, &two.id, &Page::all()).await.unwrap().is_empty());
    identities::set_agents(&mut c, a, &one.id, std::slice::from_ref(&other.id)).await.unwrap();
    let agents = identities::agents_of(&mut c, a, &one.id, &Page::all()).await.unwrap();
    assert_eq!(agents.iter().map(|agent| &agent.id).collect::<Vec<_>>(), [&other.id]);
    assert!(!identities::detach_block(&mut c, a, &block.id, &one.id).await.unwrap());
    assert!(identities::detach_block(&mut c, a, &block.id, &two.id).await.unwrap());
    // What belonged to an identity outlives it.
    assert!(identities::delete(&mut c, a, &one.id).await.unwrap());
    assert!(agents::get(&mut c, a, &other.id).await.unwrap().is_some());
}

async fn lists_are_narrowed(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let one = kept(&mut c, a, "one").await;
    let two = Identity { name: "Two".into(), identity_type: IdentityType::Org, project_id: None, ..identity(a, "two") };
    identities::insert(&mut c, a, &two, at(1)).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    for (filter, expected) in [
        (IdentityFilter::default(), vec![&one, &two]),
        (IdentityFilter { name: text("Two"), ..Default::default() }, vec![&two]),
        (IdentityFilter { project_id: text("p"), ..Default::default() }, vec![&one]),
        (IdentityFilter { identifier_key: text("one"), ..Default::default() }, vec![&one]),
        (IdentityFilter { identity_type: Some(IdentityType::Org), ..Default::default() }, vec![&two]),
    ] {
        let found = identities::list(&mut c, a, &filter, &first(9, Order::Asc)).await.unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
        let count = identities::count(&mut c, a, &filter).await.unwrap();
        assert_eq!(usize::try_from(count).unwrap(), expected.len());
    }
    let (agent, block) = (agent("a"), block("human", "x"));
    agents::insert(&mut c, a, &agent).await.unwrap();
    blocks::insert(&mut c, a, &block, at(0)).await.unwrap();
    identities::attach_agent(&mut c, a, &agent.id, &one.id).await.unwrap();
    identities::attach_block(&mut c, a, &block.id, &one.id).await.unwrap();
    for (id, keys, found) in [
        (Some(one.id.to_string()), vec![], 1),
        (Some(two.id.to_string()), vec![], 0),
        (None, vec!["two".to_owned(), "one".to_owned()], 1),
        (None, vec!["two".to_owned()], 0),
    ] {
        let agents_of = AgentFilter { identity_id: id.clone(), identifier_keys: keys.clone(), ..Default::default() };
        assert_eq!(agents::count(&mut c, a, &agents_of).await.unwrap(), found);
        let blocks_of = BlockFilter { identity_id: id, identifier_keys: keys, ..Default::default() };
        assert_eq!(blocks::count(&mut c, a, &blocks_of).await.unwrap(), found);
    }
}

async fn a_stranger_sees_and_changes_nothing(w: World) {
    let mut c = w.write().await;
    let mine = kept(&mut c, &w.actor, "mine").await;
    let own = agent("own");
    agents::insert(&mut c, &w.stranger, &own).await.unwrap();
    c.commit().await.unwrap();
    let s = &w.stranger;
    let mut c = w.write().await;
    assert_eq!(identities::get(&mut c, s, &mine.id).await.unwrap(), None);
    assert_eq!(identities::by_key(&mut c, s, "mine").await.unwrap(), None);
    assert!(identities::list(&mut c, s, &IdentityFilter::default(), &Page::all()).await.unwrap().is_empty());
    assert!(!identities::delete(&mut c, s, &mine.id).await.unwrap());
    assert!(matches!(identities::update(&mut c, s, &mine, at(1)).await, Err(StoreError::NotFound)));
    let attached = identities::attach_agent(&mut c, s, &own.id, &mine.id).await;
    assert!(matches!(attached, Err(StoreError::NotFound)));
}
