//! Agents: their fields, versions and deletion.

use mneme_domain::{
    MessageId, Page,
    agent::{Agent, AgentType},
    message::MessageRole,
    tool_rule::ToolRule,
};
use mneme_store::{Conn, StoreError, agents, blocks, messages, runs, steps, tags, tools};
use serde_json::json;
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, block, message, object, run, step, tool, trace},
    on_both,
};

on_both!(every_field_survives, an_update_must_name_the_version_that_it_saw, a_deleted_agent_takes_its_own_along,);

async fn add(c: &mut Conn, w: &World, agent: Agent) -> Agent {
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent
}

async fn every_field_survives(w: World) {
    let mut full = Agent {
        name: TRICKY.into(),
        agent_type: AgentType::SleeptimeAgent,
        embedding_config: Some(
            serde_json::from_value(
                json!({"embedding_endpoint_type": "openai", "embedding_model": "m", "embedding_dim": 3}),
            )
            .unwrap(),
        ),
        tool_rules: vec![ToolRule::ExitLoop { tool_name: "send_message".into(), prompt_template: None }],
        message_ids: vec![MessageId::from_uuid(Uuid::new_v4()), MessageId::from_uuid(Uuid::new_v4())],
        response_format: Some(json!({"type": "json_object", "a": 1})),
        description: Some(TRICKY.into()),
        metadata: Some(object(json!({"z": {}, "a": TRICKY}))),
        memory_variables: Some(object(json!({}))),
        project_id: Some("p".into()),
        template_id: Some("t".into()),
        base_template_id: Some("bt".into()),
        deployment_id: Some("d".into()),
        entity_id: Some("e".into()),
        message_buffer_autoclear: true,
        enable_sleeptime: Some(false),
        last_run_completion: Some(at(9)),
        last_run_duration_ms: Some(12),
        timezone: None,
        max_files_open: None,
        per_file_view_window_char_limit: Some(15_000),
        hidden: Some(true),
        created_by_id: Some("u1".into()),
        last_updated_by_id: Some("u2".into()),
        updated_at: at(3),
        ..agent("")
    };
    let mut c = w.write().await;
    add(&mut c, &w, full.clone()).await;
    let bare = add(&mut c, &w, agent("bare")).await;
    assert_eq!(agents::get(&mut c, &w.actor, &full.id).await.unwrap(), Some(full.clone()));
    assert_eq!(agents::get(&mut c, &w.actor, &bare.id).await.unwrap(), Some(bare.clone()));

    // Every field can also be changed.
    full = Agent { id: full.id, version: 1, ..bare };
    assert_eq!(agents::update(&mut c, &w.actor, &full).await.unwrap(), 2);
    let stored = agents::get(&mut c, &w.actor, &full.id).await.unwrap();
    assert_eq!(stored, Some(Agent { version: 2, ..full }));
}

async fn an_update_must_name_the_version_that_it_saw(w: World) {
    let mut c = w.write().await;
    let mut stored = add(&mut c, &w, agent("one")).await;
    let ids = [MessageId::from_uuid(Uuid::new_v4()), MessageId::from_uuid(Uuid::new_v4())];
    let version =
        agents::touch_context(&mut c, &w.actor, &stored.id, &ids, 1, Some(at(5)), Some(77), at(6)).await.unwrap();
    assert_eq!(version, 2);
    let version = agents::touch_context(&mut c, &w.actor, &stored.id, &ids[..1], 2, None, None, at(7)).await.unwrap();
    assert_eq!(version, 3);
    stored = Agent {
        message_ids: ids[..1].to_vec(),
        last_run_completion: Some(at(5)),
        last_run_duration_ms: Some(77),
        updated_at: at(7),
        version: 3,
        ..stored
    };
    assert_eq!(agents::get(&mut c, &w.actor, &stored.id).await.unwrap(), Some(stored.clone()));

    stored.version = 2;
    assert!(matches!(agents::update(&mut c, &w.actor, &stored).await, Err(StoreError::Stale)));
    let touched = agents::touch_context(&mut c, &w.actor, &stored.id, &[], 2, None, None, at(8)).await;
    assert!(matches!(touched, Err(StoreError::Stale)));
    let unknown = Agent { version: 3, ..agent("nobody") };
    assert!(matches!(agents::update(&mut c, &w.actor, &unknown).await, Err(StoreError::NotFound)));
    let touched = agents::touch_context(&mut c, &w.actor, &unknown.id, &[], 3, None, None, at(8)).await;
    assert!(matches!(touched, Err(StoreError::NotFound)));
}

async fn a_deleted_agent_takes_its_own_along(w: World) {
    let mut c = w.write().await;
    let doomed = add(&mut c, &w, agent("doomed")).await;
    let block = block("human", "");
    let tool = tool("tool");
    blocks::insert(&mut c, &w.actor, &block, at(0)).await.unwrap();
    tools::insert(&mut c, &w.actor, &tool, at(0)).await.unwrap();
    blocks::attach(&mut c, &w.actor, &doomed.id, &block.id).await.unwrap();
    tools::attach(&mut c, &w.actor, &doomed.id, &tool.id).await.unwrap();
    agents::set_tags(&mut c, &w.actor, &doomed.id, &["t".into()]).await.unwrap();
    agents::set_variables(&mut c, &w.actor, &doomed.id, &[("K".into(), "v".into())]).await.unwrap();
    let run = run(&doomed.id);
    runs::insert(&mut c, &w.actor, &run).await.unwrap();
    let (step, metrics) = step(&doomed.id, Some(&run.id), &w.actor);
    steps::insert(&mut c, &w.actor, &step, &metrics, Some(&trace(&step.id)), &[]).await.unwrap();
    let said = message(&doomed.id, MessageRole::User, "remarkable", 0);
    messages::append(&mut c, &w.actor, std::slice::from_ref(&said)).await.unwrap();

    assert!(agents::delete(&mut c, &w.actor, &doomed.id).await.unwrap());
    assert!(!agents::delete(&mut c, &w.actor, &doomed.id).await.unwrap());
    assert_eq!(agents::get(&mut c, &w.actor, &doomed.id).await.unwrap(), None);
    assert_eq!(messages::get(&mut c, &w.actor, &said.id).await.unwrap(), None);
    let search = messages::MessageSearch {
        agent_id: None,
        project_id: None,
        template_id: None,
        query: Some("remarkable".into()),
        roles: vec![],
        start: None,
        end: None,
        limit: 9,
        offset: 0,
    };
    assert_eq!(messages::search(&mut c, &w.actor, &search).await.unwrap(), []);
    assert_eq!(runs::get(&mut c, &w.actor, &run.id).await.unwrap(), None);
    assert_eq!(steps::get(&mut c, &w.actor, &step.id).await.unwrap(), None);
    assert_eq!(steps::trace(&mut c, &w.actor, &step.id).await.unwrap(), None);
    assert_eq!(tags::list(&mut c, &w.actor, None, &Page::all()).await.unwrap(), Vec::<String>::new());
    assert!(agents::variables_of(&mut c, &w.actor, &doomed.id).await.unwrap().is_empty());
    assert!(blocks::get(&mut c, &w.actor, &block.id).await.unwrap().is_some(), "shared things stay");
    assert!(tools::get(&mut c, &w.actor, &tool.id).await.unwrap().is_some());
}
