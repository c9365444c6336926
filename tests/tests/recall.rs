//! Messages found by meaning in the real server: soon after they were said, after an edit, after a crash, and not at all
//! where that is switched off.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use mneme_tests::{Postgres, Provider, Reply, Server};
use serde_json::{Value, json};

#[path = "files/documents.rs"]
#[allow(dead_code, reason = "this test uploads nothing")]
mod documents;

use documents::{agent, both, post, until};

/// A model that the scripted provider has as well.
fn large() -> Value {
    json!({
        "embedding_endpoint_type": "openai", "embedding_model": "text-embedding-3-large", "embedding_dim": 1536,
        "handle": "openai/text-embedding-3-large",
    })
}

async fn speaker(server: &Server) -> String {
    agent(server, json!({ "embedding": "openai/text-embedding-3-small" })).await
}

async fn say(server: &Server, provider: &Provider, agent: &str, question: &str, answer: &str) {
    provider.reply(Reply::text(answer));
    let body = json!({ "messages": [{ "role": "user", "content": question }] });
    post(server, &format!("/v1/agents/{agent}/messages"), body).await;
}

/// What an agent's search by meaning finds by meaning, the nearest first.
async fn near(server: &Server, agent: &str, query: &str) -> Vec<String> {
    let search = json!({ "query": query, "search_mode": "vector", "agent_id": agent, "limit": 100 });
    let found = post(server, "/v1/messages/search", search).await;
    let by_meaning = found.as_array().unwrap().iter().filter(|hit| hit["vector_rank"].is_u64());
    by_meaning.map(|hit| hit["content"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The texts of all requests for vectors.
fn embedded(provider: &Provider) -> Vec<(String, String)> {
    let requests = provider.requests().into_iter().filter(|request| request.path.ends_with("/embeddings"));
    let texts = |request: mneme_tests::provider::Recorded| {
        let model = request.body["model"].as_str().unwrap().to_owned();
        let input = match &request.body["input"] {
            Value::Array(texts) => texts.clone(),
            one => vec![one.clone()],
        };
        input.into_iter().map(move |text| (model.clone(), text.as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    requests.flat_map(texts).collect()
}

#[tokio::test]
async fn messages_are_found_by_meaning_as_they_are_now() {
    for (provider, server) in both().await {
        let speaker = speaker(&server).await;
        say(&server, &provider, &speaker, "Who wrote the lullaby?", "Brahms did, in Vienna.").await;
        let both = until("the vectors of a turn", async || {
            let found = near(&server, &speaker, "the lullaby of Brahms").await;
            (found.len() == 2).then_some(found)
        });
        assert_eq!(both.await[0], "Who wrote the lullaby?");

        // An edited message is found by what it says now.
        let (_, messages) = server.get(&format!("/v1/agents/{speaker}/messages?order=asc")).await;
        let asked = messages.as_array().unwrap().iter().find(|one| one["message_type"] == "user_message").unwrap();
        let path = format!("/v1/agents/{speaker}/messages/{}", asked["id"].as_str().unwrap());
        let edit = json!({ "message_type": "user_message", "content": "Which painter finished a ceiling?" });
        let (status, edited) = server.patch(&path, &edit).await;
        assert_eq!(status, 200, "{edited}");
        until("the vector of the edited message", async || {
            let found = near(&server, &speaker, "painter ceiling").await;
            (found.first().map(String::as_str) == Some("Which painter finished a ceiling?")).then_some(())
        })
        .await;

        // With another model all messages are embedded anew, and a search asks only that one.
        let (status, state) =
            server.patch(&format!("/v1/agents/{speaker}"), &json!({ "embedding_config": large() })).await;
        assert_eq!(status, 200, "{state}");
        until("the vectors of the new model", async || {
            (near(&server, &speaker, "ceiling Vienna").await.len() == 2).then_some(())
        })
        .await;
        provider.forget_requests();
        near(&server, &speaker, "something never asked before").await;
        let question = ("text-embedding-3-large".to_owned(), "something never asked before".to_owned());
        assert_eq!(embedded(&provider), [question]);

        // What is deleted is not found, and other agents' messages are none of its business.
        let (status, _) = server.patch(&format!("/v1/agents/{speaker}/reset-messages"), &json!({})).await;
        assert_eq!(status, 200);
        assert!(!near(&server, &speaker, "ceiling Vienna").await.iter().any(|text| text.contains("Vienna")));
    }
}

#[tokio::test]
async fn no_message_is_embedded_where_that_is_switched_off() {
    let (silent, loud) = (Provider::start().await, Provider::start().await);
    let off = Server::builder().provider(&silent).env("MNEME_EMBED_MESSAGES", "false").start().await;
    let on = Server::start(&loud).await;
    let (one, two) = (speaker(&off).await, speaker(&on).await);
    say(&off, &silent, &one, "Where does the heron nest?", "In the reeds.").await;
    say(&on, &loud, &two, "Where does the heron nest?", "In the reeds.").await;
    // What was said later has its vectors, so what was said before would have them by now.
    until("the vectors of the other server", async || (near(&on, &two, "heron reeds").await.len() == 2).then_some(()))
        .await;
    assert!(near(&off, &one, "heron reeds").await.is_empty());
    let asked = embedded(&silent);
    assert!(asked.iter().all(|(_, text)| text == "heron reeds"), "{asked:?}");
    let by_words = post(&off, "/v1/messages/search", json!({ "query": "heron", "agent_id": one })).await;
    assert_eq!(by_words[0]["content"], "Where does the heron nest?", "{by_words}");
}

/// Kills the server at a point while it embeds seventy messages, more than it embeds at a time.
async fn no_kill_leaves_a_message_without_its_vector(on_postgres: bool) {
    for point in ["messages.unembedded:1", "messages.embedded:1", "messages.unembedded:2"] {
        let provider = Provider::start().await;
        let mut builder = Server::builder().provider(&provider).env("MNEME_EMBED_MESSAGES", "false");
        if on_postgres {
            builder = builder.database_url(&Postgres::shared().create_database());
        }
        let mut server = builder.start().await;
        let speaker = speaker(&server).await;
        for number in 0..35 {
            say(&server, &provider, &speaker, &format!("heron {number}"), &format!("reed {number}")).await;
        }
        server.restart_as(|builder| builder.without_env("MNEME_EMBED_MESSAGES").env("MNEME_FAILPOINT", point)).await;
        assert!(near(&server, &speaker, "heron").await.is_empty(), "nothing has a vector yet");
        let died = async {
            while server.is_alive() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let died = tokio::time::timeout(Duration::from_secs(30), died).await;
        assert!(died.is_ok(), "{point} was never reached\n{}", server.log());

        server.restart_as(|builder| builder.without_env("MNEME_FAILPOINT")).await;
        let found = until("the vectors of all messages", async || {
            let found = near(&server, &speaker, "heron reed").await;
            (found.len() >= 70).then_some(found)
        });
        let mut found = found.await;
        found.sort();
        found.dedup();
        assert_eq!(found.len(), 70, "{point}: each message is found once");
    }
}

#[tokio::test]
async fn no_kill_leaves_a_message_without_its_vector_on_sqlite() {
    no_kill_leaves_a_message_without_its_vector(false).await;
}

#[tokio::test]
async fn no_kill_leaves_a_message_without_its_vector_on_postgres() {
    no_kill_leaves_a_message_without_its_vector(true).await;
}
