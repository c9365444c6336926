//! Client-side access tokens: known by their hashes, and gone when they are deleted.

use mneme_domain::{
    Actor, AgentId, Role,
    client_token::{Access, ClientToken, Grant, Resource},
};
use mneme_store::{Conn, StoreError, agents, client_tokens};

use crate::{
    fixtures::{TRICKY, World, agent, at},
    on_both,
};

on_both!(
    a_token_is_found_by_its_hash_alone,
    tokens_are_listed_by_agent,
    a_token_ends_by_identifier_by_hash_and_by_age,
    a_stranger_neither_sees_nor_grants,
);

async fn kept_agent(c: &mut Conn, a: &Actor) -> AgentId {
    let agent = agent("an agent");
    agents::insert(c, a, &agent).await.unwrap();
    agent.id
}

fn token(id: &str, agents: &[&AgentId], access: &[Access], seconds: i64) -> ClientToken {
    let grant = |id: &&AgentId| Grant { kind: Resource::Agent, id: (*id).clone(), access: access.to_vec() };
    ClientToken {
        id: id.into(),
        policy: agents.iter().map(grant).collect(),
        hostname: TRICKY.into(),
        expires_at: at(seconds),
        created_at: at(0),
    }
}

/// Tokens as lists have them, each with its secret.
async fn listed(c: &mut Conn, a: &Actor, agent: Option<&AgentId>, limit: i64, offset: i64) -> Vec<ClientToken> {
    let found = client_tokens::list(c, a, agent, limit, offset).await.unwrap();
    assert!(found.iter().all(|(_, secret)| secret == "ck-secret"), "{found:?}");
    found.into_iter().map(|(token, _)| token).collect()
}

async fn a_token_is_found_by_its_hash_alone(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let agent = kept_agent(&mut c, a).await;
    let reads = token("one", &[&agent], &[Access::ReadMessages, Access::ReadAgent], 9);
    let writes = token("two", &[&agent], &[Access::ReadMessages, Access::WriteMessages], 9);
    client_tokens::insert(&mut c, a, &reads, "hash-1", "ck-secret").await.unwrap();
    client_tokens::insert(&mut c, a, &writes, "hash-2", "ck-secret").await.unwrap();
    let viewer = Actor { role: Role::Viewer, ..a.clone() };
    assert_eq!(client_tokens::by_hash(&mut c, "hash-1").await.unwrap(), Some((viewer, reads)));
    let member = Actor { role: Role::Member, ..a.clone() };
    assert_eq!(client_tokens::by_hash(&mut c, "hash-2").await.unwrap(), Some((member, writes)));
    assert_eq!(client_tokens::by_hash(&mut c, "one").await.unwrap(), None);
}

async fn tokens_are_listed_by_agent(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let (ada, bob) = (kept_agent(&mut c, a).await, kept_agent(&mut c, a).await);
    let one = token("one", &[&ada], &[Access::ReadMessages], 9);
    let two = token("two", &[&ada, &bob, &ada], &[Access::ReadMessages], 9);
    client_tokens::insert(&mut c, a, &one, "hash-1", "ck-secret").await.unwrap();
    client_tokens::insert(&mut c, a, &two, "hash-2", "ck-secret").await.unwrap();
    for (agent, limit, offset, expected) in [
        (None, 9, 0, vec![two.clone(), one.clone()]),
        (Some(&ada), 9, 0, vec![two.clone(), one.clone()]),
        (Some(&bob), 9, 0, vec![two.clone()]),
        (None, 1, 0, vec![two]),
        (None, 1, 1, vec![one]),
    ] {
        assert_eq!(listed(&mut c, a, agent, limit, offset).await, expected, "{agent:?}");
    }
    assert!(agents::delete(&mut c, a, &bob).await.unwrap());
    assert_eq!(client_tokens::list(&mut c, a, Some(&bob), 9, 0).await.unwrap(), []);
}

async fn a_token_ends_by_identifier_by_hash_and_by_age(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let agent = kept_agent(&mut c, a).await;
    for (id, seconds) in [("one", 9), ("two", 9), ("old", 1), ("new", 9)] {
        let made = token(id, &[&agent], &[Access::ReadMessages], seconds);
        client_tokens::insert(&mut c, a, &made, &format!("hash-{id}"), "ck-secret").await.unwrap();
    }
    assert!(client_tokens::delete(&mut c, a, "one", "").await.unwrap());
    assert!(client_tokens::delete(&mut c, a, "", "hash-two").await.unwrap());
    assert!(!client_tokens::delete(&mut c, a, "one", "hash-two").await.unwrap());
    client_tokens::sweep(&mut c, a, at(5)).await.unwrap();
    let left = listed(&mut c, a, None, 9, 0).await;
    assert_eq!(left.iter().map(|token| token.id.as_str()).collect::<Vec<_>>(), ["new"]);
    assert_eq!(client_tokens::by_hash(&mut c, "hash-one").await.unwrap(), None);
}

async fn a_stranger_neither_sees_nor_grants(w: World) {
    let mut c = w.write().await;
    let agent = kept_agent(&mut c, &w.actor).await;
    let made = token("one", &[&agent], &[Access::ReadMessages], 1);
    client_tokens::insert(&mut c, &w.actor, &made, "hash", "ck-secret").await.unwrap();
    assert_eq!(listed(&mut c, &w.stranger, None, 9, 0).await, []);
    assert!(!client_tokens::delete(&mut c, &w.stranger, "one", "hash").await.unwrap());
    client_tokens::sweep(&mut c, &w.stranger, at(9)).await.unwrap();
    assert!(client_tokens::by_hash(&mut c, "hash").await.unwrap().is_some());
    let stolen = token("two", &[&agent], &[Access::ReadMessages], 1);
    let refused = client_tokens::insert(&mut c, &w.stranger, &stolen, "hash-2", "ck-secret").await;
    assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
}
