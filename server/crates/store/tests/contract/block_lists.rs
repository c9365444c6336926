//! Lists of blocks, and the pages that all lists share.

use mneme_domain::{BlockId, EntityId, Order, Page, block::Block};
use mneme_store::{
    Conn, agents,
    blocks::{self, BlockFilter},
};
use uuid::Uuid;

use crate::{
    fixtures::{World, agent, at, block, first},
    on_both,
};

on_both!(lists_are_filtered, cursors_follow_the_order);

async fn add(c: &mut Conn, w: &World, label: &str, value: &str) -> Block {
    let block = block(label, value);
    blocks::insert(c, &w.actor, &block, at(0)).await.unwrap();
    block
}

async fn lists_are_filtered(w: World) {
    let mut c = w.write().await;
    let mut all = vec![
        Block { description: Some("About Ada".into()), ..block("human", "likes 50% tea") },
        Block { is_template: true, template_name: Some("base".into()), ..block("persona", "likes 500 teas") },
        Block { hidden: Some(true), ..block("human_2", "back\\slash _under") },
        Block { hidden: Some(false), project_id: Some("p".into()), ..block("HUMAN", "") },
    ];
    for block in &all {
        blocks::insert(&mut c, &w.actor, block, at(0)).await.unwrap();
    }
    for name in ["one", "two"] {
        let owner = agent(name);
        agents::insert(&mut c, &w.actor, &owner).await.unwrap();
        blocks::attach(&mut c, &w.actor, &owner.id, &all[0].id).await.unwrap();
        if name == "one" {
            blocks::attach(&mut c, &w.actor, &owner.id, &all[1].id).await.unwrap();
        }
    }
    let everything = BlockFilter { include_hidden: true, ..BlockFilter::default() };
    let text = |text: &str| Some(text.to_owned());
    let cases: Vec<(BlockFilter, &[usize])> = vec![
        (everything.clone(), &[0, 1, 2, 3]),
        (BlockFilter::default(), &[0, 1, 3]),
        (BlockFilter { label: text("human"), ..everything.clone() }, &[0]),
        (BlockFilter { label_search: text("MAN"), ..everything.clone() }, &[0, 2, 3]),
        (BlockFilter { label_search: text("n_"), ..everything.clone() }, &[2]),
        (BlockFilter { value_search: text("50%"), ..everything.clone() }, &[0]),
        (BlockFilter { value_search: text("%"), ..everything.clone() }, &[0]),
        (BlockFilter { value_search: text("k\\s"), ..everything.clone() }, &[2]),
        (BlockFilter { value_search: text("'"), ..everything.clone() }, &[]),
        (BlockFilter { value_search: Some("x".repeat(60_000)), ..everything.clone() }, &[]),
        (BlockFilter { description_search: text("ada"), ..everything.clone() }, &[0]),
        (BlockFilter { name: text("base"), ..everything.clone() }, &[1]),
        (BlockFilter { templates_only: true, ..everything.clone() }, &[1]),
        (BlockFilter { project_id: text("p"), ..everything.clone() }, &[3]),
        (BlockFilter { identity_id: text("identity-1"), ..everything.clone() }, &[]),
        (BlockFilter { connected_eq: vec![1, 2], ..everything.clone() }, &[0, 1]),
        (BlockFilter { connected_eq: vec![0], ..everything.clone() }, &[2, 3]),
        (BlockFilter { connected_gt: Some(1), ..everything.clone() }, &[0]),
        (BlockFilter { connected_lt: Some(2), connected_gt: Some(0), ..everything.clone() }, &[1]),
    ];
    for (filter, expected) in cases {
        let found = blocks::list(&mut c, &w.actor, &filter, &Page::all()).await.unwrap();
        let expected: Vec<Block> = expected.iter().map(|index| all[*index].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
        let count = blocks::count(&mut c, &w.actor, &filter).await.unwrap();
        assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{filter:?}");
    }
    all.truncate(2);
    let holders = blocks::agents_of(&mut c, &w.actor, &all[0].id, &first(9, Order::Desc)).await.unwrap();
    assert_eq!(holders.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), ["two", "one"]);
    let holders = blocks::agents_of(&mut c, &w.actor, &all[1].id, &first(9, Order::Desc)).await.unwrap();
    assert_eq!(holders.iter().map(|agent| agent.name.as_str()).collect::<Vec<_>>(), ["one"]);
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
        (Page { after: id(2), ..first(3, Order::Asc) }, &["3", "4", "5"]),
        (Page { after: id(4), ..first(3, Order::Desc) }, &["3", "2", "1"]),
        // `before` alone gives the page that ends there.
        (Page { before: id(4), ..first(3, Order::Asc) }, &["1", "2", "3"]),
        (Page { before: id(2), ..first(3, Order::Desc) }, &["5", "4", "3"]),
        (Page { before: id(5), after: id(1), ..first(2, Order::Asc) }, &["2", "3"]),
        (Page { before: id(1), after: id(5), ..first(9, Order::Desc) }, &["4", "3", "2"]),
        (Page { after: id(6), ..first(3, Order::Asc) }, &[]),
        // An unknown cursor is as good as none.
        (Page { after: Some(BlockId::from_uuid(Uuid::new_v4()).to_string()), ..first(2, Order::Asc) }, &["0", "1"]),
        (Page { before: Some("nonsense".into()), ..first(2, Order::Asc) }, &["0", "1"]),
        (first(0, Order::Asc), &[]),
        (first(u32::MAX, Order::Asc), &["0", "1", "2", "3", "4", "5", "6"]),
    ];
    for (page, expected) in cases {
        let found = blocks::list(&mut c, &w.actor, &BlockFilter::default(), &page).await.unwrap();
        let labels: Vec<&str> = found.iter().filter_map(|block| block.label.as_deref()).collect();
        assert_eq!(labels, expected, "{page:?}");
    }
}
