//! MCP servers, the permissions for them, and their tools.

use std::collections::BTreeMap;

use mneme_domain::{
    JsonObject, McpServerId, ToolId,
    mcp::{McpConfig, McpOrigin, McpServer, McpServerType, McpTool, RemoteConfig, StdioConfig},
    tool::{Tool, ToolType},
};
use mneme_store::{
    StoreError,
    mcp::{
        self,
        grants::{self, Grant, GrantStatus},
    },
    tools::{self, ToolFilter},
};
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, at},
    on_both,
};

on_both!(
    every_field_survives,
    a_stranger_sees_and_changes_nothing,
    a_permission_is_settled_once,
    tools_of_different_servers_may_share_a_name
);

fn server(w: &World, name: &str) -> McpServer {
    McpServer {
        id: McpServerId::from_uuid(Uuid::new_v4()),
        name: name.into(),
        config: McpConfig::Remote(RemoteConfig {
            server_type: McpServerType::StreamableHttp,
            server_url: "http://localhost/mcp?k=v".into(),
            auth_header: Some("X-Key".into()),
            auth_token: Some(TRICKY.into()),
            custom_headers: Some(BTreeMap::from([("A".into(), "{{ B | c }}".into())])),
        }),
        tools: None,
        synced_at: None,
        last_error: None,
        created_at: at(0),
        updated_at: at(0),
        created_by_id: Some(w.actor.user.to_string()),
        last_updated_by_id: Some(w.actor.user.to_string()),
    }
}

async fn every_field_survives(w: World) {
    let mut c = w.write().await;
    let one = server(&w, "one");
    let stdio = McpConfig::Stdio(StdioConfig {
        command: "npx".into(),
        args: vec![TRICKY.into()],
        env: Some(BTreeMap::from([("TOKEN".into(), TRICKY.into())])),
    });
    let mut two = McpServer { config: stdio, ..server(&w, "two") };
    mcp::insert(&mut c, &w.actor, &one).await.unwrap();
    mcp::insert(&mut c, &w.actor, &two).await.unwrap();
    assert_eq!(mcp::get(&mut c, &w.actor, &one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(mcp::by_name(&mut c, &w.actor, "two").await.unwrap(), Some(two.clone()));
    assert_eq!(mcp::list(&mut c, &w.actor).await.unwrap(), [one.clone(), two.clone()]);
    assert_eq!(mcp::count(&mut c, &w.actor).await.unwrap(), 2);

    let listed: Vec<McpTool> = serde_json::from_value(serde_json::json!([
        {"name": "t", "inputSchema": {"z": 1, "a": 2}, "_meta": {"x": 1}, "health": {"status": "INVALID", "reasons": ["r"]}}
    ]))
    .unwrap();
    mcp::failed(&mut c, &w.actor, &two.id, "not there").await.unwrap();
    assert_eq!(mcp::get(&mut c, &w.actor, &two.id).await.unwrap().unwrap().last_error.as_deref(), Some("not there"));
    mcp::synced(&mut c, &w.actor, &two.id, &listed, at(5)).await.unwrap();
    two = McpServer { name: "three".into(), tools: Some(listed), synced_at: Some(at(5)), updated_at: at(6), ..two };
    mcp::update(&mut c, &w.actor, &two, at(6)).await.unwrap();
    assert_eq!(mcp::get(&mut c, &w.actor, &two.id).await.unwrap(), Some(two.clone()));
    let lean = McpServer { tools: None, ..two.clone() };
    assert_eq!(mcp::without_tools(&mut c, &w.actor, &two.id).await.unwrap(), Some(lean));

    let unknown = McpServer { id: McpServerId::from_uuid(Uuid::new_v4()), ..two.clone() };
    assert!(matches!(mcp::update(&mut c, &w.actor, &unknown, at(7)).await, Err(StoreError::NotFound)));
    assert!(mcp::delete(&mut c, &w.actor, &two.id).await.unwrap());
    assert!(!mcp::delete(&mut c, &w.actor, &two.id).await.unwrap());
    c.commit().await.unwrap();
    let mut c = w.write().await;
    let taken = mcp::insert(&mut c, &w.actor, &server(&w, "one")).await;
    assert!(matches!(taken, Err(StoreError::Conflict(rule)) if rule == "mcp_servers_org_id_name"));
}

async fn a_permission_is_settled_once(w: World) {
    let mut c = w.write().await;
    let id = format!("mcp-oauth-{}", Uuid::new_v4());
    let (record, state) = (TRICKY.to_owned(), Uuid::new_v4().to_string());
    let pending = Grant { id, server_name: "s".into(), status: GrantStatus::Pending, error: None, record };
    grants::put(&mut c, &w.actor, &pending, Some(&state)).await.unwrap();
    let (actor, found) = grants::by_state(&mut c, &state).await.unwrap().unwrap();
    assert_eq!((actor.org, actor.user), (w.actor.org.clone(), w.actor.user.clone()));
    assert_eq!(found, pending);

    let granted = Grant { status: GrantStatus::Granted, record: "tokens".into(), ..pending.clone() };
    assert!(grants::settle(&mut c, &w.actor, &granted).await.unwrap());
    assert_eq!(grants::by_state(&mut c, &state).await.unwrap(), None, "a state is used once");
    assert_eq!(grants::by_name(&mut c, &w.actor, "s").await.unwrap(), Some(granted.clone()));

    let newer = Grant { id: format!("mcp-oauth-{}", Uuid::new_v4()), ..pending };
    grants::put(&mut c, &w.actor, &newer, Some("other")).await.unwrap();
    assert!(!grants::settle(&mut c, &w.actor, &granted).await.unwrap(), "it was replaced meanwhile");
    grants::rename(&mut c, &w.actor, "s", "t").await.unwrap();
    assert_eq!(grants::by_name(&mut c, &w.actor, "s").await.unwrap(), None);
    assert_eq!(grants::by_name(&mut c, &w.actor, "t").await.unwrap().map(|grant| grant.id), Some(newer.id));
    grants::delete(&mut c, &w.actor, "t").await.unwrap();
    assert_eq!(grants::by_name(&mut c, &w.actor, "t").await.unwrap(), None);
}

fn tool(of: &McpServer, name: &str) -> Tool {
    let mut metadata = None;
    let origin = McpOrigin {
        server_name: of.name.clone(),
        server_id: of.id.clone(),
        tool_name: None,
        seen: None,
        changed_at: None,
        changes: None,
    };
    origin.put(&mut metadata);
    Tool {
        id: ToolId::from_uuid(Uuid::new_v4()),
        tool_type: ToolType::ExternalMcp,
        description: None,
        source_type: None,
        name: Some(name.into()),
        tags: Vec::new(),
        source_code: None,
        json_schema: Some(JsonObject::new()),
        args_json_schema: None,
        return_char_limit: 1000,
        pip_requirements: None,
        npm_requirements: None,
        default_requires_approval: None,
        enable_parallel_execution: None,
        created_by_id: None,
        last_updated_by_id: None,
        metadata_: metadata,
    }
}

async fn tools_of_different_servers_may_share_a_name(w: World) {
    let mut c = w.write().await;
    let (one, two) = (server(&w, "one"), server(&w, "two"));
    mcp::insert(&mut c, &w.actor, &one).await.unwrap();
    mcp::insert(&mut c, &w.actor, &two).await.unwrap();
    let name = format!("shout_{}", Uuid::new_v4().simple());
    let (first, second) = (tool(&one, &name), tool(&two, &name));
    tools::insert(&mut c, &w.actor, &first, at(0)).await.unwrap();
    tools::insert(&mut c, &w.actor, &second, at(0)).await.unwrap();
    assert_eq!(tools::get(&mut c, &w.actor, &second.id).await.unwrap(), Some(second.clone()));
    assert_eq!(mcp::tools_of(&mut c, &w.actor, &one.id).await.unwrap(), std::slice::from_ref(&first.id));
    let filter = ToolFilter { name: Some(name.clone()), ..ToolFilter::default() };
    assert_eq!(tools::count(&mut c, &w.actor, &filter).await.unwrap(), 2);
    assert_eq!(tools::by_name(&mut c, &w.actor, &name).await.unwrap(), None, "a name alone names none of them");
    let found = tools::find(&mut c, &w.actor, &[], std::slice::from_ref(&name)).await.unwrap();
    assert_eq!(found.iter().map(|tool| &tool.id).collect::<Vec<_>>(), [&first.id, &second.id], "the older one first");

    let own =
        Tool { tool_type: ToolType::Custom, metadata_: None, id: ToolId::from_uuid(Uuid::new_v4()), ..first.clone() };
    tools::insert(&mut c, &w.actor, &own, at(1)).await.unwrap();
    let found = tools::find(&mut c, &w.actor, &[], std::slice::from_ref(&name)).await.unwrap();
    assert_eq!(found[0].id, own.id, "a user's own tool goes before those of servers");
    let ids = [second.id.clone(), own.id.clone()];
    let found = tools::find(&mut c, &w.actor, &ids, std::slice::from_ref(&name)).await.unwrap();
    let found: Vec<&ToolId> = found.iter().map(|tool| &tool.id).collect();
    assert_eq!(found, [&own.id, &first.id, &second.id], "what is named twice comes once");

    let renamed = Tool { name: Some(format!("{name}_2")), ..second.clone() };
    tools::update(&mut c, &w.actor, &renamed, at(2)).await.unwrap();
    assert_eq!(tools::get(&mut c, &w.actor, &second.id).await.unwrap(), Some(renamed));
    mcp::delete(&mut c, &w.actor, &two.id).await.unwrap();
    assert_eq!(tools::get(&mut c, &w.actor, &second.id).await.unwrap(), None, "tools go with their server");
    assert_eq!(tools::get(&mut c, &w.actor, &first.id).await.unwrap(), Some(first));
}

async fn a_stranger_sees_and_changes_nothing(w: World) {
    let mut c = w.write().await;
    let mine = server(&w, "mine");
    mcp::insert(&mut c, &w.actor, &mine).await.unwrap();
    let a = &w.stranger;
    assert_eq!(mcp::get(&mut c, a, &mine.id).await.unwrap(), None);
    assert_eq!(mcp::without_tools(&mut c, a, &mine.id).await.unwrap(), None);
    assert_eq!(mcp::by_name(&mut c, a, "mine").await.unwrap(), None);
    assert_eq!(mcp::list(&mut c, a).await.unwrap(), []);
    assert_eq!(mcp::tools_of(&mut c, a, &mine.id).await.unwrap(), []);
    assert!(matches!(mcp::update(&mut c, a, &mine, at(1)).await, Err(StoreError::NotFound)));
    mcp::failed(&mut c, a, &mine.id, "x").await.unwrap();
    mcp::synced(&mut c, a, &mine.id, &[], at(1)).await.unwrap();
    assert!(!mcp::delete(&mut c, a, &mine.id).await.unwrap());
    assert_eq!(grants::by_name(&mut c, a, "mine").await.unwrap(), None);
    assert_eq!(mcp::get(&mut c, &w.actor, &mine.id).await.unwrap(), Some(mine));
}
