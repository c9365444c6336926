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
        // What has none of the words may still be meant: the search says what it would need to know.
        let (status, refused) =
            server.post("/v1/passages/search", &json!({ "query": "nothing", "archive_id": id })).await;
        let detail = refused["detail"].as_str().unwrap();
        assert_eq!(status, 400, "{refused}");
        assert!(detail.contains(&format!("archive 'a' ({id}) needs the embedding model gone/small")), "{detail}");
        assert_eq!(found(json!({ "query": "nothing", "archive_id": id, "tags": ["thing"] })).await, ["red car"]);
        let lacking = json!({ "query": "nothing", "archive_id": id, "tags": ["none"] });
        assert_eq!(found(lacking).await, Vec::<String>::new(), "nothing has the tag, whatever it means");
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

/// The models that were asked for the vector of a text.
fn models_asked(provider: &Provider, text: &str) -> Vec<String> {
    let requests = provider.requests().into_iter().filter(|request| request.path.ends_with("/embeddings"));
    let asked = requests.filter(|request| request.body["input"].to_string().contains(text));
    let mut models: Vec<String> = asked.map(|request| request.body["model"].as_str().unwrap().to_owned()).collect();
    models.sort();
    models
}

const SMALL: &str = "text-embedding-3-small";
const LARGE: &str = "text-embedding-3-large";

fn config(handle: &str) -> Value {
    let model = handle.rsplit('/').next().unwrap();
    json!({ "embedding_endpoint_type": "openai", "embedding_model": model, "embedding_dim": 1536, "handle": handle })
}

#[tokio::test]
async fn each_archive_is_filled_and_searched_with_its_own_model() {
    for (provider, server) in both().await {
        let keeper = agent(&server, json!({ "tools": ["archival_memory_insert", "archival_memory_search"] })).await;
        let keep = json!({ "content": "lions rest at noon" });
        called(&server, &provider, &keeper, "archival_memory_insert", keep).await;
        let body = json!({ "name": "herd", "embedding_config": config(&format!("openai/{LARGE}")) });
        let herd = post(&server, "/v1/archives/", body).await["id"].as_str().unwrap().to_owned();
        let attach = format!("/v1/agents/{keeper}/archives/attach/{herd}");
        assert_eq!(server.patch(&attach, &json!({})).await, (200, Value::Null));
        let path = format!("/v1/archives/{herd}/passages");
        let grazing = post(&server, &path, json!({ "text": "zebras graze at dawn" })).await;
        assert_eq!(grazing["embedding_config"]["handle"], format!("openai/{LARGE}"));
        assert_eq!(models_asked(&provider, "lions rest"), [SMALL]);
        assert_eq!(models_asked(&provider, "zebras graze"), [LARGE]);

        // The tool and both routes ask each model once and find in both archives by meaning.
        let search = json!({ "query": "animals at rest" });
        let found = called(&server, &provider, &keeper, "archival_memory_search", search).await;
        let list = found["tool_return"].as_str().unwrap().strip_prefix("Showing 2 results: ").unwrap();
        let list: Value = serde_json::from_str(list).unwrap();
        assert_eq!(list[0]["content"], "lions rest at noon");
        assert!(list.as_array().unwrap().iter().all(|hit| hit["relevance"]["vector_rank"].is_u64()), "{list}");
        assert_eq!(models_asked(&provider, "animals at rest"), [LARGE, SMALL]);
        let (_, found) = server.get(&format!("/v1/agents/{keeper}/archival-memory/search?query=grazing%20herds")).await;
        assert_eq!(found["count"], 2, "{found}");
        assert_eq!(models_asked(&provider, "grazing herds"), [LARGE, SMALL]);
        let hits =
            post(&server, "/v1/passages/search", json!({ "query": "who is up at dawn", "agent_id": keeper })).await;
        assert_eq!(hits[0]["passage"]["text"], "zebras graze at dawn");
        assert!(hits.as_array().unwrap().iter().all(|hit| hit["metadata"]["vector_rank"].is_u64()), "{hits}");
        assert_eq!(models_asked(&provider, "who is up at dawn"), [LARGE, SMALL]);
        let alone = json!({ "query": "only in this one", "archive_id": herd });
        assert_eq!(post(&server, "/v1/passages/search", alone).await.as_array().unwrap().len(), 1);
        assert_eq!(models_asked(&provider, "only in this one"), [LARGE]);

        // The agent's own model changes; what it keeps still goes into its archive with the archive's.
        let changed = json!({ "embedding_config": config(&format!("openai/{LARGE}")) });
        assert_eq!(server.patch(&format!("/v1/agents/{keeper}"), &changed).await.0, 200);
        let keep = json!({ "content": "hyenas laugh at night" });
        called(&server, &provider, &keeper, "archival_memory_insert", keep).await;
        assert!(!models_asked(&provider, "hyenas laugh").is_empty());
        let (_, found) = server.get(&format!("/v1/agents/{keeper}/archival-memory?search=hyenas")).await;
        assert_eq!(found[0]["embedding_config"]["handle"], format!("openai/{SMALL}"), "{found}");
    }
}

#[tokio::test]
async fn an_archive_whose_model_is_gone_is_named_where_nothing_else_answers() {
    for (provider, server) in both().await {
        let keeper = agent(&server, json!({ "tools": ["archival_memory_search"] })).await;
        let lost = json!({ "name": "attic", "embedding_config": config("gone/small") });
        let attic = post(&server, "/v1/archives/", lost).await["id"].as_str().unwrap().to_owned();
        let attach = format!("/v1/agents/{keeper}/archives/attach/{attic}");
        assert_eq!(server.patch(&attach, &json!({})).await.0, 200);
        let route = format!("/v1/agents/{keeper}/archival-memory/search?query=velvet");
        let (status, found) = server.get(&route).await;
        assert_eq!((status, &found["count"]), (200, &json!(0)), "nothing is kept, so nothing is lacking: {found}");

        post(&server, &format!("/v1/archives/{attic}/passages"), json!({ "text": "a chair of oak" })).await;
        let needs = format!("archive 'attic' ({attic}) needs the embedding model gone/small");
        let (status, refused) = server.get(&route).await;
        assert_eq!(status, 400, "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains(&needs), "{refused}");
        let search = json!({ "query": "velvet" });
        let said = called(&server, &provider, &keeper, "archival_memory_search", search).await;
        assert_eq!(said["status"], "error", "{said}");
        assert!(said["tool_return"].as_str().unwrap().contains(&needs), "{said}");
        let (_, found) = server.get(&route.replace("velvet", "oak")).await;
        assert_eq!(found["results"][0]["content"], "a chair of oak", "words find all the same");
        assert!(server.log().contains("searched by words only"), "{}", server.log());
    }
}

#[tokio::test]
async fn passages_come_in_bulk_and_are_found_by_tag_and_time_and_page_by_page() {
    for (_provider, server) in both().await {
        let keeper = agent(&server, json!({})).await;
        let body = json!({ "name": "chronicle", "embedding": "openai/text-embedding-3-small" });
        let archive = post(&server, "/v1/archives/", body).await["id"].as_str().unwrap().to_owned();
        server.patch(&format!("/v1/agents/{keeper}/archives/attach/{archive}"), &json!({})).await;
        let path = format!("/v1/archives/{archive}/passages");
        let passages = json!({ "passages": [
            { "text": "the bridge was built", "tags": ["town", "river"], "created_at": "1890-06-01T10:00:00Z" },
            { "text": "the bridge fell", "tags": ["river"], "created_at": "1920-03-05" },
            { "text": "the mill burnt", "tags": ["town"], "created_at": "1905-01-01T00:00:00+02:00", "metadata": { "page": 7 } },
        ]});
        let made = post(&server, &format!("{path}/batch"), passages).await;
        let ids: Vec<&str> = made.as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
        assert_eq!((ids.len(), &made[2]["created_at"]), (3, &json!("1904-12-31T22:00:00Z")), "{made}");
        assert_eq!((&made[2]["metadata"], &made[0]["archive_id"]), (&json!({ "page": 7 }), &json!(archive)));
        // One bad text, and none is kept.
        for bad in ["", "a\0b"] {
            let broken = json!({ "passages": [{ "text": "fine" }, { "text": bad }] });
            assert_eq!(server.post(&format!("{path}/batch"), &broken).await.0, 422, "{bad:?}");
        }

        // Pages go by the time that was given, in both directions.
        let own = format!("/v1/agents/{keeper}/archival-memory");
        let listed = async |query: String| -> Vec<String> {
            let (status, list) = server.get(&format!("{own}?{query}")).await;
            assert_eq!(status, 200, "{list}");
            list.as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect()
        };
        let in_time = ["the bridge was built", "the mill burnt", "the bridge fell"];
        assert_eq!(listed(String::new()).await, in_time);
        assert_eq!(listed("ascending=false&limit=2".into()).await, ["the bridge fell", "the mill burnt"]);
        assert_eq!(listed(format!("after={}&limit=1", ids[0])).await, ["the mill burnt"]);
        assert_eq!(listed(format!("before={}", ids[1])).await, ["the bridge was built", "the mill burnt"]);
        assert_eq!(listed("search=bridge".into()).await, ["the bridge was built", "the bridge fell"]);

        let found = async |more: &str| -> Vec<String> {
            let (status, found) = server.get(&format!("{own}/search?query=&{more}")).await;
            assert_eq!(status, 200, "{found}");
            let mut texts: Vec<String> = found["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["content"].as_str().unwrap().to_owned())
                .collect();
            texts.sort();
            texts
        };
        assert_eq!(found("tags=town&tags=river").await.len(), 3, "any of them");
        assert_eq!(found("tags=town&tags=river&tag_match_mode=all").await, ["the bridge was built"]);
        assert_eq!(
            found("start_datetime=1900-01-01&end_datetime=1920-03-05").await,
            ["the bridge fell", "the mill burnt"]
        );
        assert_eq!(found("end_datetime=1904-12-31T21:59:59Z").await, ["the bridge was built"]);
        assert_eq!(found("tags=river&start_datetime=1900-01-01").await, ["the bridge fell"]);
        assert_eq!(found("top_k=1").await, ["the bridge fell"], "the newest");

        // A passage goes by either way, once.
        assert_eq!(server.delete(&format!("{path}/{}", ids[0])).await.0, 204);
        assert_eq!(server.delete(&format!("{own}/{}", ids[0])).await.0, 404);
        assert_eq!(server.delete(&format!("{own}/{}", ids[1])).await.0, 200);
        assert_eq!(server.delete(&format!("{path}/{}", ids[1])).await.0, 404);
        assert_eq!(listed(String::new()).await, ["the mill burnt"]);
        let hits = post(&server, "/v1/passages/search", json!({ "query": "bridge" })).await;
        assert!(!hits.to_string().contains("bridge"), "{hits}");
    }
}
