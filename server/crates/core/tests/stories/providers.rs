//! Providers that users add with keys of their own.

use mneme_core::{CoreError, CreateProvider, ModelFilter, outbound::PrivateNetwork};
use mneme_domain::{Actor, OrgId, Page, Role, UserId};
use mneme_tests::{Provider, Reply};
use serde_json::{Value, json};

use crate::common::{On, World};

fn create(body: Value) -> CreateProvider {
    serde_json::from_value(body).unwrap()
}

fn mine(name: &str, upstream: &Provider, key: &str) -> CreateProvider {
    create(json!({"name": name, "provider_type": "openai", "api_key": key, "base_url": upstream.base_url()}))
}

async fn own_handles(w: &World, actor: &Actor) -> Vec<String> {
    let filter = ModelFilter { provider_category: vec!["byok".into()], ..ModelFilter::default() };
    let models = w.core.list_models(actor, filter).await.unwrap();
    models.into_iter().filter_map(|model| model.handle).collect()
}

async fn the_own_key_is_used_until_the_provider_is_deleted(database: On) {
    let w = World::on(database).await;
    let upstream = Provider::start().await;
    upstream.models(&["their-model"]);
    let stored = w.core.create_provider(&w.actor, mine("mine", &upstream, "sk-of-a-user-1")).await.unwrap();
    assert_eq!(own_handles(&w, &w.actor).await, ["mine/their-model"]);
    let shown = serde_json::to_string(&w.core.get_provider(&w.actor, &stored.id).await.unwrap()).unwrap();
    assert!(!shown.contains("sk-of"), "{shown}");

    let agent = w.agent_with(|body| body.model = Some("mine/their-model".into())).await;
    assert_eq!(agent.llm_config.provider_category.as_deref(), Some("byok"));
    upstream.reply(Reply::text("from yours"));
    w.say(&agent.id, "hello").await.unwrap();
    assert_eq!(upstream.chats()[0].headers["authorization"], "Bearer sk-of-a-user-1");
    assert!(w.provider.chats().is_empty(), "the operator's provider hears nothing of it");

    let change = serde_json::from_value(json!({"api_key": "sk-of-a-user-2"})).unwrap();
    w.core.update_provider(&w.actor, &stored.id, change).await.unwrap();
    w.say(&agent.id, "again").await.unwrap();
    assert_eq!(upstream.chats()[1].headers["authorization"], "Bearer sk-of-a-user-2", "the address stayed");

    w.core.delete_provider(&w.actor, &stored.id).await.unwrap();
    assert!(own_handles(&w, &w.actor).await.is_empty());
    let error = w.say(&agent.id, "still there?").await.unwrap_err();
    assert!(
        matches!(&error, CoreError::Invalid(text) if text.contains("'mine'") && text.contains("deleted")),
        "{error}"
    );
    assert_eq!(upstream.chats().len(), 2, "a deleted key is not used again");
}

#[tokio::test]
async fn the_own_key_is_used_until_the_provider_is_deleted_on_sqlite() {
    the_own_key_is_used_until_the_provider_is_deleted(On::Sqlite).await;
}

#[tokio::test]
async fn the_own_key_is_used_until_the_provider_is_deleted_on_postgres() {
    the_own_key_is_used_until_the_provider_is_deleted(On::Postgres).await;
}

#[tokio::test]
async fn names_are_taken_once_and_the_operators_are_out_of_reach() {
    let w = World::new().await;
    let upstream = Provider::start().await;
    w.core.create_provider(&w.actor, mine("mine", &upstream, "k")).await.unwrap();
    for name in ["mine", " mine ", "openai"] {
        let error = w.core.create_provider(&w.actor, mine(name, &upstream, "k")).await.unwrap_err();
        assert!(matches!(error, CoreError::Conflict(_)), "{name}: {error}");
    }
    for name in ["", "a/b", "letta", "line\nbreak"] {
        let error = w.core.create_provider(&w.actor, mine(name, &upstream, "k")).await.unwrap_err();
        assert!(matches!(&error, CoreError::Unprocessable { loc, .. } if loc[1] == "name"), "{name:?}: {error}");
    }
    let listed = w.core.list_providers(&w.actor, Some("openai".into()), None, &Page::all()).await.unwrap();
    assert_eq!(listed[0].provider_category, "base");
    let error = w.core.delete_provider(&w.actor, &listed[0].id).await.unwrap_err();
    assert!(matches!(error, CoreError::Forbidden(_)), "{error}");
}

#[tokio::test]
async fn another_organisation_neither_sees_nor_uses_it() {
    let w = World::new().await;
    let upstream = Provider::start().await;
    let stored = w.core.create_provider(&w.actor, mine("mine", &upstream, "k")).await.unwrap();
    let uuid = uuid::Uuid::parse_str("00000000-0000-4000-8000-00000000abcd").unwrap();
    let stranger = Actor { org: OrgId::from_uuid(uuid), user: UserId::from_uuid(uuid), role: Role::Admin };
    assert!(own_handles(&w, &stranger).await.is_empty());
    for outcome in [
        w.core.get_provider(&stranger, &stored.id).await.map(drop),
        w.core.delete_provider(&stranger, &stored.id).await,
        w.core.check_existing_provider(&stranger, &stored.id).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(CoreError::NotFound(_))), "{outcome:?}");
    }
    let member = Actor { role: Role::Member, ..w.actor.clone() };
    let error = w.core.create_provider(&member, mine("theirs", &upstream, "k")).await.unwrap_err();
    assert!(matches!(error, CoreError::Forbidden(_)), "{error}");
}

#[tokio::test]
async fn the_servers_network_is_not_the_tenants() {
    let w = World::new().await;
    let upstream = Provider::start().await;
    let closed = w.another(|config| config.private_network = PrivateNetwork::Deny).await;
    for url in [
        upstream.base_url(),
        "http://127.1:80/v1".into(),
        "http://0x7f000001/v1".into(),
        "http://[::ffff:127.0.0.1]/v1".into(),
        "http://169.254.169.254/latest".into(),
        "http://10.0.0.8/v1".into(),
        "https://user:password@example.com/v1".into(),
        "file:///etc/passwd".into(),
    ] {
        let body = json!({"name": "x", "provider_type": "openai", "api_key": "k", "base_url": url});
        let error = closed.create_provider(&w.actor, create(body.clone())).await.unwrap_err();
        assert!(matches!(&error, CoreError::Unprocessable { loc, .. } if loc[1] == "base_url"), "{url}: {error}");
        let error = closed.check_provider(&w.actor, serde_json::from_value(body).unwrap()).await.unwrap_err();
        assert!(matches!(&error, CoreError::Unprocessable { .. }), "{url}: {error}");
    }
    // A name is looked up when it is asked, and not before.
    let port = upstream.url().rsplit(':').next().unwrap().to_owned();
    let named = json!({"name": "x", "provider_type": "openai", "api_key": "k",
        "base_url": format!("http://localhost:{port}/v1")});
    let stored = closed.create_provider(&w.actor, create(named)).await.unwrap();
    let error = closed.check_existing_provider(&w.actor, &stored.id).await.unwrap_err();
    assert!(error.to_string().contains("not public"), "{error}");
    // What one server could store is refused by one with stricter rules, also when it is an address.
    let stored = w.core.create_provider(&w.actor, mine("loose", &upstream, "k")).await.unwrap();
    let error = closed.check_existing_provider(&w.actor, &stored.id).await.unwrap_err();
    assert!(error.to_string().contains("not public"), "{error}");
    assert!(upstream.requests().is_empty(), "nothing was sent");
    w.core.check_existing_provider(&w.actor, &stored.id).await.unwrap();
    let asked: Vec<String> = upstream.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/v1/models", "/v1/chat/completions"]);
}
