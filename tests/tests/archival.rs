//! Archival memory in the real server: what tools keep there, and what happens when nothing can be embedded.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use mneme_tests::{Postgres, Provider, Reply, Server};
use serde_json::{Value, json};

const LOANS: &str = include_str!("tools/loans.py");

async fn both() -> Vec<(Provider, Server)> {
    let mut all = Vec::new();
    for url in [None, Some(Postgres::shared().create_database())] {
        let provider = Provider::start().await;
        let mut builder = Server::builder().provider(&provider);
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let server = builder.start().await;
        all.push((provider, server));
    }
    all
}

async fn post(server: &Server, path: &str, body: Value) -> Value {
    let (status, answer) = server.post(path, &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn agent(server: &Server, more: Value) -> String {
    let mut body = json!({
        "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(server, "/v1/agents/", body).await["id"].as_str().unwrap().to_owned()
}

/// Has the model make these calls in one step; their returns.
async fn called(server: &Server, provider: &Provider, agent: &str, name: &str, arguments: Value) -> Value {
    provider.reply(Reply::tool_call(name, arguments)).reply(Reply::text("done"));
    let body = json!({ "messages": [{ "role": "user", "content": "go" }] });
    let answer = post(server, &format!("/v1/agents/{agent}/messages"), body).await;
    let messages = answer["messages"].as_array().unwrap();
    messages.iter().find(|message| message["message_type"] == "tool_return_message").unwrap().clone()
}

#[tokio::test]
async fn a_python_tool_keeps_its_state_in_archival_memory() {
    for (provider, server) in both().await {
        let tool = post(&server, "/v1/tools/", json!({ "source_code": LOANS })).await;
        let lender = agent(&server, json!({ "tool_ids": [tool["id"]] })).await;
        let lend = async |arguments: Value| {
            let answer = called(&server, &provider, &lender, "lend", arguments).await;
            assert_eq!(answer["status"], "success", "{answer}");
            answer["tool_return"].as_str().unwrap().to_owned()
        };
        assert_eq!(lend(json!({ "item": "drill", "person": "Ada" })).await, "Ada has drill");
        assert_eq!(lend(json!({ "item": "東京 map", "person": "Bo" })).await, "Ada has drill; Bo has 東京 map");
        let back = json!({ "item": "drill", "person": "Ada", "returned": true });
        assert_eq!(lend(back).await, "Bo has 東京 map");
        let (_, passages) = server.get(&format!("/v1/agents/{lender}/archival-memory")).await;
        assert_eq!(passages.as_array().unwrap().len(), 1, "{passages}");
    }
}

#[tokio::test]
async fn what_an_agent_keeps_it_finds_again_and_is_told_the_tags_of() {
    for (provider, server) in both().await {
        let tools = json!({ "tools": ["archival_memory_insert", "archival_memory_search"] });
        let archivist = agent(&server, tools).await;
        let keep = json!({ "content": "Timber was born in May", "tags": ["bio", "dogs"] });
        let kept = called(&server, &provider, &archivist, "archival_memory_insert", keep).await;
        assert_eq!(kept["status"], "success", "{kept}");
        let path = format!("/v1/agents/{archivist}/archival-memory");
        let old = json!({ "text": "the market fell", "tags": ["news"], "created_at": "2020-05-05T12:00:00" });
        assert_eq!(post(&server, &path, old).await[0]["created_at"], "2020-05-05T12:00:00Z");

        let search = json!({ "query": "when was Timber born?", "top_k": 1 });
        let found = called(&server, &provider, &archivist, "archival_memory_search", search).await;
        let text = found["tool_return"].as_str().unwrap();
        let list: Value = serde_json::from_str(text.strip_prefix("Showing 1 results: ").unwrap()).unwrap();
        assert_eq!(list[0]["content"], "Timber was born in May");
        assert_eq!(list[0]["tags"], json!(["bio", "dogs"]));
        assert_eq!(list[0]["relevance"], json!({ "rrf_score": 0.0328, "vector_rank": 1, "fts_rank": 1 }));
        let search = json!({ "query": "anything", "end_datetime": "2020-05-05" });
        let found = called(&server, &provider, &archivist, "archival_memory_search", search).await;
        let text = found["tool_return"].as_str().unwrap();
        assert!(text.contains("2020-05-05T12:00:00+00:00") && !text.contains("Timber"), "{text}");
        let search = json!({ "query": "x", "start_datetime": "soon" });
        let refused = called(&server, &provider, &archivist, "archival_memory_search", search).await;
        assert!(refused["tool_return"].as_str().unwrap().contains("YYYY-MM-DD"), "{refused}");

        let prompt = provider.chats().last().unwrap().system_prompt();
        assert!(prompt.contains("Tags in archival memory: bio, dogs, news\n"), "{prompt}");
        assert!(prompt.contains("2 total memories"), "{prompt}");
    }
}

#[tokio::test]
async fn a_text_is_kept_and_found_though_nothing_can_be_embedded() {
    for (_provider, server) in both().await {
        // A model of a provider that this server does not have.
        let config = json!({
            "embedding_endpoint_type": "openai", "embedding_model": "small", "embedding_dim": 8, "handle": "gone/small",
        });
        let archive = post(&server, "/v1/archives/", json!({ "name": "a", "embedding_config": config })).await;
        let id = archive["id"].as_str().unwrap();
        let path = format!("/v1/archives/{id}/passages");
        for (text, tag) in [("red fox", "animal"), ("red car", "thing")] {
            let kept = post(&server, &path, json!({ "text": text, "tags": [tag] })).await;
            assert_eq!((&kept["text"], &kept["embedding"]), (&json!(text), &Value::Null), "{kept}");
        }
        let found = async |body: Value| -> Vec<String> {
            let hits = post(&server, "/v1/passages/search", body).await;
            let texts = hits.as_array().unwrap().iter().map(|hit| hit["passage"]["text"].as_str().unwrap().to_owned());
            texts.collect()
        };
        assert_eq!(found(json!({ "query": "fox", "archive_id": id })).await, ["red fox"]);
        assert_eq!(found(json!({ "query": "nothing", "archive_id": id })).await, Vec::<String>::new());
        assert_eq!(found(json!({ "query": "nothing", "archive_id": id, "tags": ["thing"] })).await, ["red car"]);
        assert_eq!(found(json!({})).await, ["red car", "red fox"]);
        let (status, _) = server.post(&path, &json!({ "text": "  " })).await;
        assert_eq!(status, 422);
    }
}

#[tokio::test]
async fn passages_are_changed_and_taken_out_by_who_may() {
    for (_provider, server) in both().await {
        let (one, two) = (agent(&server, json!({})).await, agent(&server, json!({})).await);
        let path = format!("/v1/agents/{one}/archival-memory");
        let kept = post(&server, &path, json!({ "text": "first", "tags": ["t"] })).await;
        let id = kept[0]["id"].as_str().unwrap();
        assert_eq!(kept[0]["embedding"].as_array().unwrap().len(), 1536);
        let (status, changed) = server.patch(&format!("{path}/{id}"), &json!({ "text": "second" })).await;
        assert_eq!((status, &changed["text"], &changed["tags"]), (200, &json!("second"), &json!(["t"])), "{changed}");
        let (_, read) = server.get(&format!("{path}/{id}")).await;
        assert_eq!(read["embedding"], changed["embedding"]);
        assert_ne!(read["embedding"], kept[0]["embedding"]);
        let (_, found) = server.get(&format!("{path}/search?query=second&top_k=1")).await;
        assert_eq!(found["results"][0]["content"], "second", "{found}");

        let theirs = format!("/v1/agents/{two}/archival-memory/{id}");
        assert_eq!((server.get(&theirs).await.0, server.delete(&theirs).await.0), (404, 404));
        let archive = kept[0]["archive_id"].as_str().unwrap();
        let attach = format!("/v1/agents/{two}/archives/attach/{archive}");
        assert_eq!(server.patch(&attach, &json!({})).await, (200, Value::Null));
        assert_eq!(server.get(&theirs).await.0, 200);
        let (status, said) = server.delete(&theirs).await;
        assert_eq!((status, said["message"].as_str().unwrap().contains(id)), (200, true));
        assert_eq!(server.get(&format!("{path}/{id}")).await.0, 404);
    }
}

#[tokio::test]
async fn first_memories_that_come_at_once_share_one_archive() {
    for (_provider, server) in both().await {
        let agent = agent(&server, json!({})).await;
        let path = format!("/v1/agents/{agent}/archival-memory");
        let put = async |number: usize| post(&server, &path, json!({ "text": format!("fact {number}") })).await;
        let (one, two, three) = tokio::join!(put(1), put(2), put(3));
        assert_eq!(one[0]["archive_id"], two[0]["archive_id"]);
        assert_eq!(two[0]["archive_id"], three[0]["archive_id"]);
        let (_, archives) = server.get(&format!("/v1/archives/?agent_id={agent}")).await;
        assert_eq!(archives.as_array().unwrap().len(), 1, "{archives}");
    }
}
