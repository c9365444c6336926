//! Nothing secret reaches the database in clear, and the wrong key opens nothing.

use mneme_domain::{Actor, AgentId, EntityId, Env};

use super::migrated;
use crate::{
    MasterKey, Store, StoreConfig, StoreError, agents,
    sql::{args, statements},
};

statements! {
    ADD_AGENT: "insert into agents (id, org_id, version, name, name_folded, agent_type, system, llm_config, tool_rules,
            message_ids, message_buffer_autoclear, created_at, updated_at)
        values ($1, $2, 1, 'a', 'a', 'letta_v1_agent', '', '{}', '[]', '[]', $3, 0, 0)";
    STORED: "select value_enc from agent_variables";
    MOVE: "update agent_variables set key = 'OTHER'";
}

#[tokio::test]
async fn variables_are_stored_encrypted_and_bound_to_their_place() {
    for store in migrated().await {
        let actor = Actor::default_admin();
        let agent = AgentId::from_uuid(Env::system().uuid());
        let mut c = store.write().await.unwrap();
        c.run(&ADD_AGENT, args![&agent, &actor.org, false]).await.unwrap();
        agents::set_variables(&mut c, &actor, &agent, &[("TOKEN".into(), "hunter2".into())]).await.unwrap();
        let (stored,): (String,) = c.one(&STORED, args![]).await.unwrap().unwrap();
        assert!(stored.starts_with("v1.") && !stored.contains("hunter2"), "{stored}");
        c.run(&MOVE, args![]).await.unwrap();
        let moved = agents::variables_of(&mut c, &actor, &agent).await;
        assert!(matches!(moved, Err(StoreError::Corrupt(_))), "{moved:?}");
        // The agent's configuration is no configuration, which is an error and not a panic.
        assert!(matches!(agents::get(&mut c, &actor, &agent).await, Err(StoreError::Corrupt(_))));
        assert_eq!(statements().len(), 3, "each is used");
    }
}

#[tokio::test]
async fn another_master_key_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/keys.db", directory.path().display());
    let actor = Actor::default_admin();
    let agent = AgentId::parse("agent-123e4567-e89b-42d3-8456-426614174000").unwrap();
    for (key, works) in [(1, true), (2, false), (1, true)] {
        let store = Store::open(&StoreConfig::new(&url, MasterKey::new([key; 32]))).await.unwrap();
        store.migrate().await.unwrap();
        let mut c = store.write().await.unwrap();
        let first = agents::variables_of(&mut c, &actor, &agent).await.is_ok_and(|variables| variables.is_empty());
        if first {
            c.run(&ADD_AGENT, args![&agent, &actor.org, false]).await.unwrap();
            agents::set_variables(&mut c, &actor, &agent, &[("TOKEN".into(), "hunter2".into())]).await.unwrap();
        }
        let variables = agents::variables_of(&mut c, &actor, &agent).await;
        assert_eq!(variables.is_ok(), works, "{variables:?}");
        c.commit().await.unwrap();
        store.close().await;
    }
}
