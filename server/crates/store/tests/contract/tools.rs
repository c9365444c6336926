//! Tools and their attachment.

use mneme_domain::{
    Page, ToolId,
    tool::{Tool, ToolType},
};
use mneme_store::{
    Conn, StoreError, agents,
    tools::{self, ToolFilter},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{World, agent, at, object, tool},
    on_both,
};

on_both!(every_field_survives, a_name_is_taken_once, lists_are_filtered, attachments_keep_their_order);

async fn add(c: &mut Conn, w: &World, name: &str) -> Tool {
    let tool = tool(name);
    tools::insert(c, &w.actor, &tool, at(0)).await.unwrap();
    tool
}

async fn every_field_survives(w: World) {
    let mut c = w.write().await;
    let mut one = add(&mut c, &w, "one").await;
    let two = add(&mut c, &w, "two").await;
    assert_eq!(tools::get(&mut c, &w.actor, &one.id).await.unwrap(), Some(one.clone()));
    let text = serde_json::to_string(&tools::get(&mut c, &w.actor, &one.id).await.unwrap()).unwrap();
    assert_eq!(text, serde_json::to_string(&Some(&one)).unwrap(), "the schema's keys keep their order");
    assert_eq!(tools::by_name(&mut c, &w.actor, "two").await.unwrap(), Some(two.clone()));
    assert_eq!(tools::by_name(&mut c, &w.actor, "TWO").await.unwrap(), None);
    let names = ["two".to_owned(), "none".to_owned(), "one".to_owned()];
    assert_eq!(tools::by_names(&mut c, &w.actor, &names).await.unwrap(), [two.clone(), one.clone()]);
    let ids = [two.id.clone(), ToolId::from_uuid(Uuid::new_v4()), one.id.clone()];
    assert_eq!(tools::by_ids(&mut c, &w.actor, &ids).await.unwrap(), [two, one.clone()]);

    one = Tool {
        tool_type: ToolType::ExternalMcp,
        name: Some("renamed".into()),
        tags: vec![],
        description: None,
        source_code: None,
        json_schema: None,
        args_json_schema: Some(object(json!({"type": "object"}))),
        return_char_limit: 1,
        pip_requirements: None,
        npm_requirements: Some(vec![json!("left-pad")]),
        default_requires_approval: Some(true),
        enable_parallel_execution: Some(true),
        last_updated_by_id: Some("user-2".into()),
        metadata_: None,
        ..one
    };
    tools::update(&mut c, &w.actor, &one, at(1)).await.unwrap();
    assert_eq!(tools::get(&mut c, &w.actor, &one.id).await.unwrap(), Some(one.clone()));
    assert!(tools::delete(&mut c, &w.actor, &one.id).await.unwrap());
    assert!(!tools::delete(&mut c, &w.actor, &one.id).await.unwrap());
    assert!(matches!(tools::update(&mut c, &w.actor, &one, at(2)).await, Err(StoreError::NotFound)));
}

async fn a_name_is_taken_once(w: World) {
    let mut c = w.write().await;
    add(&mut c, &w, "same").await;
    let mut other = add(&mut c, &w, "other").await;
    c.commit().await.unwrap();

    let mut c = w.write().await;
    let taken = tools::insert(&mut c, &w.actor, &tool("same"), at(1)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(rule)) if rule == "tools_org_id_name"));
    drop(c);

    let mut c = w.write().await;
    other.name = Some("same".into());
    let taken = tools::update(&mut c, &w.actor, &other, at(1)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(rule)) if rule == "tools_org_id_name"));
    drop(c);

    // Another organisation has names of its own.
    let mut c = w.write().await;
    tools::insert(&mut c, &w.stranger, &tool("same"), at(1)).await.unwrap();
}

async fn lists_are_filtered(w: World) {
    let mut c = w.write().await;
    let kinds = [
        ("send_message", ToolType::LettaCore),
        ("sendXmessage", ToolType::Custom),
        ("web_search", ToolType::LettaBuiltin),
        ("mcp_tool", ToolType::ExternalMcp),
    ];
    let mut all = Vec::new();
    for (name, tool_type) in kinds {
        let tool = Tool { tool_type, ..tool(name) };
        tools::insert(&mut c, &w.actor, &tool, at(0)).await.unwrap();
        all.push(tool);
    }
    let none = ToolFilter::default;
    let cases: Vec<(ToolFilter, &[usize])> = vec![
        (none(), &[0, 1, 2, 3]),
        (ToolFilter { name: Some("web_search".into()), ..none() }, &[2]),
        (ToolFilter { names: vec!["mcp_tool".into(), "send_message".into()], ..none() }, &[0, 3]),
        (ToolFilter { tool_ids: vec![all[1].id.clone()], ..none() }, &[1]),
        (ToolFilter { search: Some("D_MES".into()), ..none() }, &[0]),
        (ToolFilter { search: Some("%".into()), ..none() }, &[]),
        (ToolFilter { tool_types: vec![ToolType::LettaCore, ToolType::Custom], ..none() }, &[0, 1]),
        (ToolFilter { exclude_tool_types: vec![ToolType::LettaCore, ToolType::Custom], ..none() }, &[2, 3]),
        (ToolFilter { only_builtin: true, ..none() }, &[0, 2]),
        (ToolFilter { only_builtin: true, search: Some("web".into()), ..none() }, &[2]),
    ];
    for (filter, expected) in cases {
        let found = tools::list(&mut c, &w.actor, &filter, &Page::all()).await.unwrap();
        let expected: Vec<Tool> = expected.iter().map(|index| all[*index].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
        let count = tools::count(&mut c, &w.actor, &filter).await.unwrap();
        assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{filter:?}");
    }
    let page = Page { after: Some(all[0].id.to_string()), limit: 2, ..Page::all() };
    assert_eq!(tools::list(&mut c, &w.actor, &none(), &page).await.unwrap(), all[1..3]);
}

async fn attachments_keep_their_order(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let mut all = Vec::new();
    for name in ["c", "a", "b"] {
        let tool = add(&mut c, &w, name).await;
        tools::attach(&mut c, &w.actor, &owner.id, &tool.id).await.unwrap();
        tools::attach(&mut c, &w.actor, &owner.id, &tool.id).await.unwrap();
        all.push(tool);
    }
    assert_eq!(tools::of_agent(&mut c, &w.actor, &owner.id).await.unwrap(), all);
    assert!(tools::detach(&mut c, &w.actor, &owner.id, &all[0].id).await.unwrap());
    assert!(!tools::detach(&mut c, &w.actor, &owner.id, &all[0].id).await.unwrap());
    assert_eq!(tools::of_agent(&mut c, &w.actor, &owner.id).await.unwrap(), all[1..]);

    let wanted = [all[2].id.clone(), all[0].id.clone(), all[2].id.clone()];
    tools::set_of_agent(&mut c, &w.actor, &owner.id, &wanted).await.unwrap();
    assert_eq!(tools::of_agent(&mut c, &w.actor, &owner.id).await.unwrap(), [all[2].clone(), all[0].clone()]);
    let newcomer = agent("newcomer");
    agents::insert(&mut c, &w.actor, &newcomer).await.unwrap();
    tools::attach_first(&mut c, &w.actor, &newcomer.id, &wanted).await.unwrap();
    assert_eq!(tools::of_agent(&mut c, &w.actor, &newcomer.id).await.unwrap(), [all[2].clone(), all[0].clone()]);
    assert!(tools::delete(&mut c, &w.actor, &all[2].id).await.unwrap());
    assert_eq!(tools::of_agent(&mut c, &w.actor, &owner.id).await.unwrap(), [all[0].clone()]);
    c.commit().await.unwrap();

    let mut c = w.write().await;
    let missing = tools::attach(&mut c, &w.actor, &owner.id, &all[2].id).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
    drop(c);
    let mut c = w.write().await;
    let missing = tools::set_of_agent(&mut c, &w.actor, &owner.id, &[all[0].id.clone(), all[2].id.clone()]).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
}
