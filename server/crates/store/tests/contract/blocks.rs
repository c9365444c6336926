//! Blocks and their attachment.

use mneme_domain::{BlockId, EntityId, Order, Page, block::Block};
use mneme_store::{
    Conn, StoreError, agents,
    blocks::{self, BlockFilter, StoredBlock},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, block, first, object},
    on_both,
};

on_both!(
    every_field_survives,
    an_update_must_name_the_version_that_it_saw,
    an_agent_has_each_label_once,
    attachments_keep_their_order,
    lists_are_filtered,
    cursors_follow_the_order,
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
        metadata: Some(object(
            json!({"z": 1, "a": {"k": [true, null, 1.25, TRICKY]}, "m": 9_007_199_254_740_993_i64}),
        )),
        hidden: Some(false),
        id: BlockId::from_uuid(Uuid::new_v4()),
        created_by_id: Some("u1".into()),
        last_updated_by_id: Some("u2".into()),
    };
    let bare = Block {
        label: None,
        ..block("", "")
    };
    let mut c = w.write().await;
    blocks::insert_many(&mut c, &w.actor, &[full.clone(), bare.clone()], at(0))
        .await
        .unwrap();
    c.commit().await.unwrap();

    let mut c = w.read().await;
    let stored = blocks::get(&mut c, &w.actor, &full.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        stored,
        StoredBlock {
            block: full.clone(),
            version: 1
        }
    );
    let keys: Vec<&String> = stored.block.metadata.as_ref().unwrap().keys().collect();
    assert_eq!(keys, ["z", "a", "m"], "keys keep their order");
    let unknown = BlockId::from_uuid(Uuid::new_v4());
    assert_eq!(blocks::get(&mut c, &w.actor, &unknown).await.unwrap(), None);
    let ids = [bare.id.clone(), unknown, full.id.clone()];
    let many = blocks::get_many(&mut c, &w.actor, &ids).await.unwrap();
    assert_eq!(
        many.into_iter()
            .map(|stored| stored.block)
            .collect::<Vec<_>>(),
        [bare, full]
    );
    assert_eq!(blocks::get_many(&mut c, &w.actor, &[]).await.unwrap(), []);
}

async fn an_update_must_name_the_version_that_it_saw(w: World) {
    let mut c = w.write().await;
    let mut block = add(&mut c, &w, "human", "one").await;
    block.value = "two".into();
    block.metadata = Some(object(json!({"n": 2})));
    assert_eq!(
        blocks::update(&mut c, &w.actor, &block, 1, at(1))
            .await
            .unwrap(),
        2
    );
    block.value = "three".into();
    assert!(matches!(
        blocks::update(&mut c, &w.actor, &block, 1, at(2)).await,
        Err(StoreError::Stale)
    ));
    let stored = blocks::get(&mut c, &w.actor, &block.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((stored.block.value.as_str(), stored.version), ("two", 2));
    block.id = BlockId::from_uuid(Uuid::new_v4());
    assert!(matches!(
        blocks::update(&mut c, &w.actor, &block, 2, at(3)).await,
        Err(StoreError::NotFound)
    ));
}

async fn an_agent_has_each_label_once(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let human = add(&mut c, &w, "human", "").await;
    let mut persona = add(&mut c, &w, "persona", "").await;
    let other = add(&mut c, &w, "human", "").await;
    blocks::attach(&mut c, &w.actor, &owner.id, &human.id)
        .await
        .unwrap();
    blocks::attach(&mut c, &w.actor, &owner.id, &human.id)
        .await
        .unwrap();
    blocks::attach(&mut c, &w.actor, &owner.id, &persona.id)
        .await
        .unwrap();
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
    blocks::update(&mut c, &w.actor, &human, 1, at(1))
        .await
        .unwrap();
    blocks::attach(&mut c, &w.actor, &owner.id, &other.id)
        .await
        .unwrap();
    c.commit().await.unwrap();

    for missing in [
        (&owner.id, &BlockId::from_uuid(Uuid::new_v4())),
        (&agent("nobody").id, &other.id),
    ] {
        let mut c = w.write().await;
        let attached = blocks::attach(&mut c, &w.actor, missing.0, missing.1).await;
        assert!(
            matches!(attached, Err(StoreError::NotFound)),
            "{attached:?}"
        );
    }
}

async fn labels(c: &mut Conn, w: &World, agent: &mneme_domain::AgentId) -> Vec<String> {
    let stored = blocks::of_agent(c, &w.actor, agent).await.unwrap();
    stored
        .into_iter()
        .filter_map(|stored| stored.block.label)
        .collect()
}

async fn attachments_keep_their_order(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let mut ids = Vec::new();
    for label in ["c", "a", "d", "b"] {
        let block = add(&mut c, &w, label, "").await;
        blocks::attach(&mut c, &w.actor, &owner.id, &block.id)
            .await
            .unwrap();
        ids.push(block.id);
    }
    assert_eq!(labels(&mut c, &w, &owner.id).await, ["c", "a", "d", "b"]);
    assert!(
        blocks::detach(&mut c, &w.actor, &owner.id, &ids[1])
            .await
            .unwrap()
    );
    assert!(
        !blocks::detach(&mut c, &w.actor, &owner.id, &ids[1])
            .await
            .unwrap()
    );
    blocks::attach(&mut c, &w.actor, &owner.id, &ids[1])
        .await
        .unwrap();
    assert_eq!(labels(&mut c, &w, &owner.id).await, ["c", "d", "b", "a"]);

    let wanted = [ids[3].clone(), ids[0].clone(), ids[3].clone()];
    agents::set_blocks(&mut c, &w.actor, &owner.id, &wanted)
        .await
        .unwrap();
    assert_eq!(
        labels(&mut c, &w, &owner.id).await,
        ["b", "c"],
        "a block given twice is attached once"
    );
    blocks::attach(&mut c, &w.actor, &owner.id, &ids[2])
        .await
        .unwrap();
    assert_eq!(labels(&mut c, &w, &owner.id).await, ["b", "c", "d"]);
    agents::set_blocks(&mut c, &w.actor, &owner.id, &[])
        .await
        .unwrap();
    assert_eq!(labels(&mut c, &w, &owner.id).await, Vec::<String>::new());
    let missing = agents::set_blocks(
        &mut c,
        &w.actor,
        &owner.id,
        &[BlockId::from_uuid(Uuid::new_v4())],
    )
    .await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
}

async fn lists_are_filtered(w: World) {
    let mut c = w.write().await;
    let mut all = vec![
        Block {
            description: Some("About Ada".into()),
            ..block("human", "likes 50% tea")
        },
        Block {
            is_template: true,
            template_name: Some("base".into()),
            ..block("persona", "likes 500 teas")
        },
        Block {
            hidden: Some(true),
            ..block("human_2", "back\\slash _under")
        },
        Block {
            hidden: Some(false),
            project_id: Some("p".into()),
            ..block("HUMAN", "")
        },
    ];
    for block in &all {
        blocks::insert(&mut c, &w.actor, block, at(0))
            .await
            .unwrap();
    }
    for name in ["one", "two"] {
        let owner = agent(name);
        agents::insert(&mut c, &w.actor, &owner).await.unwrap();
        blocks::attach(&mut c, &w.actor, &owner.id, &all[0].id)
            .await
            .unwrap();
        if name == "one" {
            blocks::attach(&mut c, &w.actor, &owner.id, &all[1].id)
                .await
                .unwrap();
        }
    }
    let everything = BlockFilter {
        include_hidden: true,
        ..BlockFilter::default()
    };
    let text = |text: &str| Some(text.to_owned());
    let cases: Vec<(BlockFilter, &[usize])> = vec![
        (everything.clone(), &[0, 1, 2, 3]),
        (BlockFilter::default(), &[0, 1, 3]),
        (
            BlockFilter {
                label: text("human"),
                ..everything.clone()
            },
            &[0],
        ),
        (
            BlockFilter {
                label_search: text("MAN"),
                ..everything.clone()
            },
            &[0, 2, 3],
        ),
        (
            BlockFilter {
                label_search: text("n_"),
                ..everything.clone()
            },
            &[2],
        ),
        (
            BlockFilter {
                value_search: text("50%"),
                ..everything.clone()
            },
            &[0],
        ),
        (
            BlockFilter {
                value_search: text("%"),
                ..everything.clone()
            },
            &[0],
        ),
        (
            BlockFilter {
                value_search: text("k\\s"),
                ..everything.clone()
            },
            &[2],
        ),
        (
            BlockFilter {
                value_search: text("'"),
                ..everything.clone()
            },
            &[],
        ),
        (
            BlockFilter {
                value_search: Some("x".repeat(60_000)),
                ..everything.clone()
            },
            &[],
        ),
        (
            BlockFilter {
                description_search: text("ada"),
                ..everything.clone()
            },
            &[0],
        ),
        (
            BlockFilter {
                name: text("base"),
                ..everything.clone()
            },
            &[1],
        ),
        (
            BlockFilter {
                templates_only: true,
                ..everything.clone()
            },
            &[1],
        ),
        (
            BlockFilter {
                project_id: text("p"),
                ..everything.clone()
            },
            &[3],
        ),
        (
            BlockFilter {
                identity_id: text("identity-1"),
                ..everything.clone()
            },
            &[],
        ),
        (
            BlockFilter {
                connected_eq: vec![1, 2],
                ..everything.clone()
            },
            &[0, 1],
        ),
        (
            BlockFilter {
                connected_eq: vec![0],
                ..everything.clone()
            },
            &[2, 3],
        ),
        (
            BlockFilter {
                connected_gt: Some(1),
                ..everything.clone()
            },
            &[0],
        ),
        (
            BlockFilter {
                connected_lt: Some(2),
                connected_gt: Some(0),
                ..everything.clone()
            },
            &[1],
        ),
    ];
    for (filter, expected) in cases {
        let found = blocks::list(&mut c, &w.actor, &filter, &Page::all())
            .await
            .unwrap();
        let expected: Vec<Block> = expected.iter().map(|index| all[*index].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
        let count = blocks::count(&mut c, &w.actor, &filter).await.unwrap();
        assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{filter:?}");
    }
    all.truncate(2);
    let holders = blocks::agents_of(&mut c, &w.actor, &all[0].id, &first(9, Order::Desc))
        .await
        .unwrap();
    assert_eq!(
        holders
            .iter()
            .map(|agent| agent.name.as_str())
            .collect::<Vec<_>>(),
        ["two", "one"]
    );
    let holders = blocks::agents_of(&mut c, &w.actor, &all[1].id, &first(9, Order::Desc))
        .await
        .unwrap();
    assert_eq!(
        holders
            .iter()
            .map(|agent| agent.name.as_str())
            .collect::<Vec<_>>(),
        ["one"]
    );
}

async fn cursors_follow_the_order(w: World) {
    let mut c = w.write().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(add(&mut c, &w, &number.to_string(), "").await.id);
    }
    let id = |index: usize| Some(ids[index].as_str().to_owned());
    let cases: Vec<(Page, &[&str])> = vec![
        (first(3, Order::Asc), &["0", "1", "2"]),
        (first(3, Order::Desc), &["6", "5", "4"]),
        (
            Page {
                after: id(2),
                ..first(3, Order::Asc)
            },
            &["3", "4", "5"],
        ),
        (
            Page {
                after: id(4),
                ..first(3, Order::Desc)
            },
            &["3", "2", "1"],
        ),
        // `before` alone gives the page that ends there.
        (
            Page {
                before: id(4),
                ..first(3, Order::Asc)
            },
            &["1", "2", "3"],
        ),
        (
            Page {
                before: id(2),
                ..first(3, Order::Desc)
            },
            &["5", "4", "3"],
        ),
        (
            Page {
                before: id(5),
                after: id(1),
                ..first(2, Order::Asc)
            },
            &["2", "3"],
        ),
        (
            Page {
                before: id(1),
                after: id(5),
                ..first(9, Order::Desc)
            },
            &["4", "3", "2"],
        ),
        (
            Page {
                after: id(6),
                ..first(3, Order::Asc)
            },
            &[],
        ),
        // An unknown cursor is as good as none.
        (
            Page {
                after: Some(BlockId::from_uuid(Uuid::new_v4()).to_string()),
                ..first(2, Order::Asc)
            },
            &["0", "1"],
        ),
        (
            Page {
                before: Some("nonsense".into()),
                ..first(2, Order::Asc)
            },
            &["0", "1"],
        ),
        (first(0, Order::Asc), &[]),
        (
            first(u32::MAX, Order::Asc),
            &["0", "1", "2", "3", "4", "5", "6"],
        ),
    ];
    for (page, expected) in cases {
        let found = blocks::list(&mut c, &w.actor, &BlockFilter::default(), &page)
            .await
            .unwrap();
        let labels: Vec<&str> = found
            .iter()
            .filter_map(|block| block.label.as_deref())
            .collect();
        assert_eq!(labels, expected, "{page:?}");
    }
}

async fn a_deleted_block_is_gone_everywhere(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let block = add(&mut c, &w, "human", "").await;
    blocks::attach(&mut c, &w.actor, &owner.id, &block.id)
        .await
        .unwrap();
    assert!(blocks::delete(&mut c, &w.actor, &block.id).await.unwrap());
    assert!(!blocks::delete(&mut c, &w.actor, &block.id).await.unwrap());
    assert_eq!(
        blocks::of_agent(&mut c, &w.actor, &owner.id).await.unwrap(),
        []
    );
    assert_eq!(
        blocks::get(&mut c, &w.actor, &block.id).await.unwrap(),
        None
    );
    // The label is free again.
    let next = add(&mut c, &w, "human", "").await;
    blocks::attach(&mut c, &w.actor, &owner.id, &next.id)
        .await
        .unwrap();
}
