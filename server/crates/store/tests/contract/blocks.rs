//! Blocks: their fields, versions and attachment.

use mneme_domain::{AgentId, BlockId, block::Block};
use mneme_store::{
    Conn, StoreError, agents,
    blocks::{self, StoredBlock},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, block, object},
    on_both,
};

on_both!(
    every_field_survives,
    an_update_must_name_the_version_that_it_saw,
    an_agent_writes_what_it_still_has,
    an_agent_has_each_label_once,
    attachments_keep_their_order,
    a_deleted_block_is_gone_everywhere,
);

async fn add(c: &mut Conn, w: &World, label: &str, value: &str) -> Block {
    let block = block(label, value);
    blocks::insert(c, &w.actor, &block, at(0)).await.unwrap();
    block
}

async fn every_field_survives(w: World) {
    let full = Block {
        value: TRICKY.into(),
        limit: i64::MAX,
        project_id: Some("p".into()),
        template_name: Some("n".into()),
        is_template: true,
        template_id: Some("t".into()),
        base_template_id: Some("bt".into()),
        deployment_id: Some("d".into()),
        entity_id: Some("e".into()),
        preserve_on_migration: Some(true),
        label: Some(TRICKY.into()),
        read_only: true,
        description: Some(String::new()),
        metadata: Some(object(json!({"z": 1, "a": {"k": [true, null, 1.25, TRICKY]}, "m": 9_007_199_254_740_993_i64}))),
        hidden: Some(false),
        id: BlockId::from_uuid(Uuid::new_v4()),
        created_by_id: Some("u1".into()),
        last_updated_by_id: Some("u2".into()),
    };
    let bare = Block { label: None, ..block("", "") };
    let mut c = w.write().await;
    blocks::insert_many(&mut c, &w.actor, &[full.clone(), bare.clone()], at(0)).await.unwrap();
    c.commit().await.unwrap();

    let mut c = w.read().await;
    let stored = blocks::get(&mut c, &w.actor, &full.id).await.unwrap().unwrap();
    assert_eq!(stored, StoredBlock { block: full.clone(), version: 1 });
    let keys: Vec<&String> = stored.block.metadata.as_ref().unwrap().keys().collect();
    assert_eq!(keys, ["z", "a", "m"], "keys keep their order");
    let unknown = BlockId::from_uuid(Uuid::new_v4());
    assert_eq!(blocks::get(&mut c, &w.actor, &unknown).await.unwrap(), None);
    let ids = [bare.id.clone(), unknown, full.id.clone()];
    let many = blocks::get_many(&mut c, &w.actor, &ids).await.unwrap();
    assert_eq!(many.into_iter().map(|stored| stored.block).collect::<Vec<_>>(), [bare, full]);
    assert_eq!(blocks::get_many(&mut c, &w.actor, &[]).await.unwrap(), []);
}

async fn an_update_must_name_the_version_that_it_saw(w: World) {
    let mut c = w.write().await;
    let mut block = add(&mut c, &w, "human", "one").await;
    block.value = "two".into();
    block.metadata = Some(object(json!({"n": 2})));
    assert_eq!(blocks::update(&mut c, &w.actor, &block, 1, at(1)).await.unwrap(), 2);
    block.value = "three".into();
    assert!(matches!(blocks::update(&mut c, &w.actor, &block, 1, at(2)).await, Err(StoreError::Stale)));
    let stored = blocks::get(&mut c, &w.actor, &block.id).await.unwrap().unwrap();
    assert_eq!((stored.block.value.as_str(), stored.version), ("two", 2));
    block.id = BlockId::from_uuid(Uuid::new_v4());
    assert!(matches!(blocks::update(&mut c, &w.actor, &block, 2, at(3)).await, Err(StoreError::NotFound)));
}

async fn an_agent_writes_what_it_still_has(w: World) {
    let mut c = w.write().await;
    let (owner, other) = (agent("owner"), agent("other"));
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    agents::insert(&mut c, &w.actor, &other).await.unwrap();
    let mut human = add(&mut c, &w, "human", "one").await;
    blocks::attach(&mut c, &w.actor, &owner.id, &human.id).await.unwrap();
    human.value = "two".into();
    assert_eq!(blocks::update_held(&mut c, &w.actor, &owner.id, &human, 1, at(1)).await.unwrap(), 2);
    let stored = blocks::get(&mut c, &w.actor, &human.id).await.unwrap();
    assert_eq!(stored, Some(StoredBlock { block: human.clone(), version: 2 }));
    for (who, version) in [(&owner, 1), (&other, 2)] {
        let refused = blocks::update_held(&mut c, &w.actor, &who.id, &human, version, at(2)).await;
        assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
    }
    let refused = blocks::update_held(&mut c, &w.stranger, &owner.id, &human, 2, at(2)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
    assert!(blocks::detach(&mut c, &w.actor, &owner.id, &human.id).await.unwrap());
    let refused = blocks::update_held(&mut c, &w.actor, &owner.id, &human, 2, at(2)).await;
    assert!(matches!(refused, Err(StoreError::Stale)), "{refused:?}");
}

async fn an_agent_has_each_label_once(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let human = add(&mut c, &w, "human", "").await;
    let mut persona = add(&mut c, &w, "persona", "").await;
    let other = add(&mut c, &w, "human", "").await;
    blocks::attach(&mut c, &w.actor, &owner.id, &human.id).await.unwrap();
    blocks::attach(&mut c, &w.actor, &owner.id, &human.id).await.unwrap();
    blocks::attach(&mut c, &w.actor, &owner.id, &persona.id).await.unwrap();
    c.commit().await.unwrap();

    let rule = "agent_blocks_org_id_agent_id_label";
    let mut c = w.write().await;
    let attached = blocks::attach(&mut c, &w.actor, &owner.id, &other.id).await;
    assert!(matches!(attached, Err(StoreError::Conflict(name)) if name == rule));
    drop(c);

    let mut c = w.write().await;
    persona.label = Some("human".into());
    let renamed = blocks::update(&mut c, &w.actor, &persona, 1, at(1)).await;
    assert!(matches!(renamed, Err(StoreError::Conflict(name)) if name == rule));
    drop(c);

    // A block that moved away frees its label.
    let mut c = w.write().await;
    let mut human = human;
    human.label = Some("person".into());
    blocks::update(&mut c, &w.actor, &human, 1, at(1)).await.unwrap();
    blocks::attach(&mut c, &w.actor, &owner.id, &other.id).await.unwrap();
    c.commit().await.unwrap();

    for missing in [(&owner.id, &BlockId::from_uuid(Uuid::new_v4())), (&agent("nobody").id, &other.id)] {
        let mut c = w.write().await;
        let attached = blocks::attach(&mut c, &w.actor, missing.0, missing.1).await;
        assert!(matches!(attached, Err(StoreError::NotFound)), "{attached:?}");
    }
}

async fn labels(c: &mut Conn, w: &World, agent: &AgentId) -> Vec<String> {
    let stored = blocks::of_agent(c, &w.actor, agent).await.unwrap();
    stored.into_iter().filter_map(|stored| stored.block.label).collect()
}

async fn attachments_keep_their_order(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let mut ids = Vec::new();
    for label in ["c", "a", "d", "b"] {
        let block = add(&mut c, &w, label, "").await;
        blocks::attach(&mut c, &w.actor, &owner.id, &block.id).await.unwrap();
        ids.push(block.id);
    }
    assert_eq!(labels(&mut c, &w, &owner.id).await, ["c", "a", "d", "b"]);
    assert!(blocks::detach(&mut c, &w.actor, &owner.id, &ids[1]).await.unwrap());
    assert!(!blocks::detach(&mut c, &w.actor, &owner.id, &ids[1]).await.unwrap());
    blocks::attach(&mut c, &w.actor, &owner.id, &ids[1]).await.unwrap();
    assert_eq!(labels(&mut c, &w, &owner.id).await, ["c", "d", "b", "a"]);

    let wanted = [ids[3].clone(), ids[0].clone(), ids[3].clone()];
    agents::set_blocks(&mut c, &w.actor, &owner.id, &wanted).await.unwrap();
    assert_eq!(labels(&mut c, &w, &owner.id).await, ["b", "c"], "a block given twice is attached once");
    blocks::attach(&mut c, &w.actor, &owner.id, &ids[2]).await.unwrap();
    assert_eq!(labels(&mut c, &w, &owner.id).await, ["b", "c", "d"]);
    agents::set_blocks(&mut c, &w.actor, &owner.id, &[]).await.unwrap();
    assert_eq!(labels(&mut c, &w, &owner.id).await, Vec::<String>::new());
    blocks::attach_first(&mut c, &w.actor, &owner.id, &[]).await.unwrap();
    blocks::attach_first(&mut c, &w.actor, &owner.id, &wanted).await.unwrap();
    assert_eq!(labels(&mut c, &w, &owner.id).await, ["b", "c"], "an agent without any takes them in this order");
    let missing = agents::set_blocks(&mut c, &w.actor, &owner.id, &[BlockId::from_uuid(Uuid::new_v4())]).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
}

async fn a_deleted_block_is_gone_everywhere(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let block = add(&mut c, &w, "human", "").await;
    blocks::attach(&mut c, &w.actor, &owner.id, &block.id).await.unwrap();
    assert!(blocks::delete(&mut c, &w.actor, &block.id).await.unwrap());
    assert!(!blocks::delete(&mut c, &w.actor, &block.id).await.unwrap());
    assert_eq!(blocks::of_agent(&mut c, &w.actor, &owner.id).await.unwrap(), []);
    assert_eq!(blocks::get(&mut c, &w.actor, &block.id).await.unwrap(), None);
    // The label is free again.
    let next = add(&mut c, &w, "human", "").await;
    blocks::attach(&mut c, &w.actor, &owner.id, &next.id).await.unwrap();
}
