//! Nothing secret reaches the database in clear, and the wrong key opens nothing.

use mneme_domain::{
    Actor, AgentId, EntityId, Env, McpServerId, Page,
    mcp::{McpConfig, McpServer, McpServerType, RemoteConfig},
};

use super::migrated;
use crate::{
    MasterKey, Store, StoreConfig, StoreError, agents,
    mcp::{
        self,
        grants::{Grant, GrantStatus},
    },
    providers,
    sql::{args, statements},
    variables,
};

statements! {
    ADD_AGENT: "insert into agents (id, org_id, version, name, name_folded, agent_type, system, llm_config, tool_rules,
            message_ids, message_buffer_autoclear, created_at, updated_at)
        values ($1, $2, 1, 'a', 'a', 'letta_v1_agent', '', '{}', '[]', '[]', $3, 0, 0)";
    STORED: "select value_enc from agent_variables";
    MOVE: "update agent_variables set key = 'OTHER'";
    STORED_SERVER: "select config_enc from mcp_servers";
    STORED_GRANT: "select grant_enc from mcp_grants";
    SPOIL: "update providers set access_key_enc = 'v1.AAAA'";
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
        assert!(stored.starts_with("v2.") && !stored.contains("hunter2"), "{stored}");
        c.run(&MOVE, args![]).await.unwrap();
        let moved = agents::variables_of(&mut c, &actor, &agent).await;
        assert!(matches!(moved, Err(StoreError::Corrupt(_))), "{moved:?}");
        // The agent's configuration is no configuration, which is an error and not a panic.
        assert!(matches!(agents::get(&mut c, &actor, &agent).await, Err(StoreError::Corrupt(_))));
        assert_eq!(statements().len(), 6, "each is used");
    }
}

async fn open(url: &str, key: u8) -> Store {
    Store::open(&StoreConfig::new(url, MasterKey::new([key; 32]))).await.unwrap()
}

/// Databases that several stores can open, one after the other.
fn places(directory: &std::path::Path) -> [String; 2] {
    [format!("sqlite://{}/keys.db", directory.display()), mneme_tests::Postgres::shared().create_database()]
}

const AGENT: &str = "agent-123e4567-e89b-42d3-8456-426614174000";

fn mcp_server() -> McpServer {
    let now = Env::system().now();
    McpServer {
        id: McpServerId::from_uuid(Env::system().uuid()),
        name: "s".into(),
        config: McpConfig::Remote(RemoteConfig {
            server_type: McpServerType::Sse,
            server_url: "http://localhost/sse?key=canary-1".into(),
            auth_header: None,
            auth_token: Some("Bearer canary-2".into()),
            custom_headers: None,
        }),
        tools: None,
        synced_at: None,
        last_error: None,
        created_at: now,
        updated_at: now,
        created_by_id: None,
        last_updated_by_id: None,
    }
}

fn grant() -> Grant {
    let (id, record) = ("mcp-oauth-1".into(), r#"{"refresh_token":"canary-3"}"#.into());
    Grant { id, server_name: "s".into(), status: GrantStatus::Pending, error: None, record }
}

#[tokio::test]
async fn how_to_reach_a_server_and_what_was_permitted_are_stored_encrypted() {
    for store in migrated().await {
        let actor = Actor::default_admin();
        let mut c = store.write().await.unwrap();
        mcp::insert(&mut c, &actor, &mcp_server()).await.unwrap();
        mcp::grants::put(&mut c, &actor, &grant(), Some("digest")).await.unwrap();
        for statement in [&STORED_SERVER, &STORED_GRANT] {
            let (stored,): (String,) = c.one(statement, args![]).await.unwrap().unwrap();
            assert!(stored.starts_with("v2.") && !stored.contains("canary"), "{stored}");
        }
        assert!(!format!("{:?}{:?}", mcp_server(), grant()).contains("canary"), "secrets stay out of logs");
    }
}

/// Puts a secret into every column that can hold one.
async fn fill(store: &Store, variables: usize) {
    store.migrate().await.unwrap();
    let (actor, agent) = (Actor::default_admin(), AgentId::parse(AGENT).unwrap());
    let mut c = store.write().await.unwrap();
    c.run(&ADD_AGENT, args![&agent, &actor.org, false]).await.unwrap();
    let pairs: Vec<(String, String)> =
        (0..variables).map(|number| (format!("KEY_{number}"), format!("own {number}"))).collect();
    agents::set_variables(&mut c, &actor, &agent, &pairs).await.unwrap();
    variables::set(&mut c, &actor, "SHARED", "everybody's").await.unwrap();
    let mut provider = providers::upsert_base(&mut c, &actor, "p", "openai", None).await.unwrap();
    (provider.api_key, provider.access_key) = (Some("sk-1".into()), Some("ak-1".into()));
    providers::update(&mut c, &actor, &provider).await.unwrap();
    mcp::insert(&mut c, &actor, &mcp_server()).await.unwrap();
    mcp::grants::put(&mut c, &actor, &grant(), Some("digest")).await.unwrap();
    c.commit().await.unwrap();
}

/// Every secret that [`fill`] wrote.
async fn read(store: &Store) -> crate::Result<Vec<(String, String)>> {
    let (actor, agent) = (Actor::default_admin(), AgentId::parse(AGENT).unwrap());
    let mut c = store.read().await?;
    let mut found: Vec<(String, String)> =
        agents::variables_of(&mut c, &actor, &agent).await?.into_iter().map(|one| (one.key, one.value)).collect();
    found.extend(variables::values(&mut c, &actor).await?);
    let provider = providers::list(&mut c, &actor, None, None, &Page::all()).await?.remove(0);
    found.extend([("api".into(), provider.api_key.unwrap()), ("access".into(), provider.access_key.unwrap())]);
    let server = mcp::by_name(&mut c, &actor, "s").await?.unwrap();
    assert!(server.config == mcp_server().config);
    let grant = mcp::grants::by_name(&mut c, &actor, "s").await?.unwrap();
    found.extend([("mcp".into(), serde_json::to_string(&server.config).unwrap()), ("grant".into(), grant.record)]);
    Ok(found)
}

#[tokio::test]
async fn another_master_key_opens_nothing_and_is_told_so_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    for url in places(directory.path()) {
        let first = open(&url, 1).await;
        fill(&first, 1).await;
        first.close().await;
        let other = open(&url, 2).await;
        let (expected, given) = (MasterKey::new([1; 32]).id(), MasterKey::new([2; 32]).id());
        let refused = other.migrate().await;
        assert!(
            matches!(&refused, Err(StoreError::WrongKey { expected: Some(e), given: g }) if *e == expected && *g == given),
            "{refused:?}"
        );
        assert!(matches!(read(&other).await, Err(StoreError::Corrupt(_))));
        other.close().await;
        let again = open(&url, 1).await;
        again.migrate().await.unwrap();
        assert_eq!(read(&again).await.unwrap().len(), 6);
    }
}

#[tokio::test]
async fn a_database_without_secrets_takes_any_key() {
    let directory = tempfile::tempdir().unwrap();
    for url in places(directory.path()) {
        for key in [1, 2] {
            let store = open(&url, key).await;
            store.migrate().await.unwrap();
            assert_eq!(store.key_id().await.unwrap(), Some(MasterKey::new([key; 32]).id()));
            store.close().await;
        }
    }
}

#[tokio::test]
async fn every_secret_moves_to_a_new_key_and_the_old_one_opens_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for url in places(directory.path()) {
        let old = open(&url, 1).await;
        assert_eq!(old.key_id().await.unwrap(), None, "nobody has started on it");
        // More than one batch.
        fill(&old, 1_203).await;
        let before = read(&old).await.unwrap();
        assert_eq!(before.len(), 1_208);
        assert_eq!(old.change_key(&MasterKey::new([2; 32])).await.unwrap(), 1_208);
        assert!(matches!(read(&old).await, Err(StoreError::Corrupt(_))));
        assert!(matches!(old.migrate().await, Err(StoreError::WrongKey { .. })));
        let again = old.change_key(&MasterKey::new([3; 32])).await;
        assert!(matches!(again, Err(StoreError::WrongKey { .. })), "{again:?}");
        old.close().await;

        let new = open(&url, 2).await;
        new.migrate().await.unwrap();
        assert_eq!(new.key_id().await.unwrap(), Some(MasterKey::new([2; 32]).id()));
        assert_eq!(read(&new).await.unwrap(), before);
    }
}

#[tokio::test]
async fn one_secret_that_does_not_open_stops_the_change_and_nothing_is_changed() {
    let directory = tempfile::tempdir().unwrap();
    for url in places(directory.path()) {
        let store = open(&url, 1).await;
        fill(&store, 3).await;
        let mut c = store.write().await.unwrap();
        c.run(&SPOIL, args![]).await.unwrap();
        c.commit().await.unwrap();
        let changed = store.change_key(&MasterKey::new([2; 32])).await;
        assert!(matches!(changed, Err(StoreError::Corrupt(_))), "{changed:?}");
        assert_eq!(store.key_id().await.unwrap(), Some(MasterKey::new([1; 32]).id()));
        let mut c = store.read().await.unwrap();
        let agent = AgentId::parse(AGENT).unwrap();
        assert_eq!(agents::variables_of(&mut c, &Actor::default_admin(), &agent).await.unwrap().len(), 3);
    }
}

#[tokio::test]
async fn the_key_of_a_database_that_is_served_does_not_change() {
    let directory = tempfile::tempdir().unwrap();
    for url in places(directory.path()) {
        let (server, second) = (open(&url, 1).await, open(&url, 1).await);
        fill(&server, 1).await;
        let presences = [server.announce().await.unwrap(), second.announce().await.unwrap()];
        for presence in presences {
            let refused = second.change_key(&MasterKey::new([2; 32])).await;
            assert!(matches!(refused, Err(StoreError::InUse(_))), "{refused:?}");
            drop(presence);
        }
        // PostgreSQL learns of a closed connection a moment later.
        for _ in 0..200 {
            match second.change_key(&MasterKey::new([2; 32])).await {
                Err(StoreError::InUse(_)) => tokio::task::yield_now().await,
                done => {
                    assert_eq!(done.unwrap(), 6);
                    break;
                }
            }
        }
        assert_eq!(second.key_id().await.unwrap(), Some(MasterKey::new([2; 32]).id()));
    }
}
