//! What agents and blocks are given and lose again, in the real server: archives, folders and identities, by every route the
//! same; and the properties of identities, written by many at once.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use mneme_tests::Server;
use reqwest::Method;
use serde_json::{Value, json};

#[path = "files/documents.rs"]
#[allow(dead_code, reason = "nothing is uploaded here")]
mod documents;

use documents::{agent, both, folder, post};

/// One of the routes that give and take.
struct Route {
    /// With `{verb}` and `{id}`.
    path: String,
    /// What is given.
    id: String,
    /// An identifier of the same kind that nobody has.
    unknown: String,
    /// Where it is listed once it was given, and who it is listed for.
    list: String,
    listed: String,
}

impl Route {
    fn path(&self, verb: &str, id: &str) -> String {
        self.path.replace("{verb}", verb).replace("{id}", id)
    }
}

/// An answer without what changes from call to call: null, or whose object it is and what it has.
fn shape(answer: &Value) -> Vec<String> {
    let fields = answer.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
    let mut shape = fields.unwrap_or_else(|| vec![answer.to_string()]);
    shape.push(answer["id"].to_string());
    shape
}

fn nobody(kind: &str) -> String {
    format!("{kind}-00000000-0000-4000-8000-000000000000")
}

async fn identity(server: &Server, key: &str, more: Value) -> Value {
    let mut body = json!({ "identifier_key": key, "name": key, "identity_type": "user" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(server, "/v1/identities/", body).await
}

async fn routes(server: &Server, agent: &str) -> Vec<Route> {
    let archive = json!({ "name": "a", "embedding": "openai/text-embedding-3-small" });
    let archive = post(server, "/v1/archives/", archive).await["id"].as_str().unwrap().to_owned();
    let block = post(server, "/v1/blocks/", json!({ "label": "note", "value": "v" })).await;
    let block = block["id"].as_str().unwrap().to_owned();
    let person = identity(server, "ada", json!({})).await["id"].as_str().unwrap().to_owned();
    let (docs, papers) = (folder(server, "docs").await, folder(server, "papers").await);
    let of_agent = |things: &str, id: String, kind: &str, list: String, listed: &str| Route {
        path: format!("/v1/agents/{agent}/{things}/{{verb}}/{{id}}"),
        unknown: nobody(kind),
        listed: if listed.is_empty() { id.clone() } else { listed.to_owned() },
        id,
        list,
    };
    vec![
        of_agent("archives", archive, "archive", format!("/v1/archives/?agent_id={agent}"), ""),
        of_agent("folders", docs, "source", format!("/v1/agents/{agent}/folders"), ""),
        of_agent("sources", papers, "source", format!("/v1/agents/{agent}/sources"), ""),
        of_agent("identities", person.clone(), "identity", format!("/v1/identities/{person}/agents"), agent),
        Route {
            path: format!("/v1/blocks/{block}/identities/{{verb}}/{{id}}"),
            list: format!("/v1/identities/{person}/blocks"),
            unknown: nobody("identity"),
            id: person,
            listed: block,
        },
    ]
}

#[tokio::test]
async fn what_is_given_twice_is_there_once_and_what_is_taken_twice_is_gone() {
    for (_provider, server) in both().await {
        let reader = agent(&server, json!({})).await;
        for route in routes(&server, &reader).await {
            let listed = async || -> usize {
                let (status, list) = server.get(&route.list).await;
                assert_eq!(status, 200, "{}: {list}", route.list);
                list.as_array().unwrap().iter().filter(|one| one["id"] == route.listed).count()
            };
            assert_eq!(listed().await, 0, "{}", route.path);
            for (verb, left) in [("attach", 1), ("detach", 0), ("attach", 1)] {
                let path = route.path(verb, &route.id);
                let (status, first) = server.patch(&path, &json!({})).await;
                assert_eq!(status, 200, "{path}: {first}");
                assert_eq!(listed().await, left, "{path}");
                let (status, again) = server.patch(&path, &json!({})).await;
                assert_eq!((status, shape(&again)), (200, shape(&first)), "{path}: {again}");
                assert_eq!(listed().await, left, "{path}");
            }
            for verb in ["attach", "detach"] {
                let path = route.path(verb, &route.unknown);
                let (status, refused) = server.patch(&path, &json!({})).await;
                assert_eq!(status, 404, "{path}: {refused}");
                assert!(refused["detail"].as_str().unwrap().contains("not found"), "{path}: {refused}");
                let (status, refused) = server.patch(&route.path(verb, "no-id"), &json!({})).await;
                assert_eq!(status, 422, "{path}: {refused}");
                // The same for an owner that is not there.
                let path = route.path(verb, &route.id);
                let kind = if path.starts_with("/v1/blocks") { "block" } else { "agent" };
                let owner = path.split('/').nth(3).unwrap();
                let (status, refused) = server.patch(&path.replace(owner, &nobody(kind)), &json!({})).await;
                assert_eq!(status, 404, "{path}: {refused}");
            }
            assert_eq!(listed().await, 1, "{}: refusals change nothing", route.path);
        }
    }
}

async fn put(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let request = server.http().request(Method::PUT, format!("{}{path}", server.url())).json(body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn properties_are_set_one_by_one_and_none_is_lost() {
    for (_provider, server) in both().await {
        let properties = json!([
            { "key": "email", "value": "ada@example.com", "type": "string" }, { "key": "age", "value": 30, "type": "number" },
        ]);
        let ada = identity(&server, "ada", json!({ "properties": properties })).await;
        let path = format!("/v1/identities/{}", ada["id"].as_str().unwrap());
        let known = async || -> Value { server.get(&path).await.1["properties"].clone() };
        let age = |value: Value| json!([{ "key": "age", "value": value, "type": "number" }]);
        for _ in 0..2 {
            assert_eq!(put(&server, &format!("{path}/properties"), &age(json!(31))).await, (200, Value::Null));
            let expected = json!([properties[0], age(json!(31))[0]]);
            assert_eq!(known().await, expected, "the others stay, and each key is there once");
        }
        let (status, refused) = put(&server, &format!("{path}/properties"), &age(json!("old"))).await;
        assert_eq!(status, 422, "{refused}");
        assert_eq!(known().await[1]["value"], 31);
        let unknown = format!("/v1/identities/{}/properties", nobody("identity"));
        assert_eq!(put(&server, &unknown, &age(json!(1))).await.0, 404);

        // Twenty at once, each of its own key.
        let writes = (0..20).map(|number| {
            let body = json!([{ "key": format!("k{number}"), "value": number, "type": "number" }]);
            let (server, path) = (&server, format!("{path}/properties"));
            async move { put(server, &path, &body).await.0 }
        });
        assert_eq!(futures::future::join_all(writes).await, [200; 20]);
        assert_eq!(known().await.as_array().unwrap().len(), 22, "{}", known().await);

        // The upsert of a key that many bring at once makes one identity; what it names takes the place of what was there.
        let reader = agent(&server, json!({})).await;
        let upserts = (0..10).map(|number| {
            let (server, reader) = (&server, &reader);
            let body = json!({
                "identifier_key": "bo", "name": format!("Bo {number}"), "identity_type": "other", "agent_ids": [reader],
            });
            async move { put(server, "/v1/identities/", &body).await }
        });
        let mut ids: Vec<String> = Vec::new();
        for (status, upserted) in futures::future::join_all(upserts).await {
            assert_eq!(status, 200, "{upserted}");
            ids.push(upserted["id"].as_str().unwrap().to_owned());
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        let bare = json!({ "identifier_key": "bo", "name": "Bo", "identity_type": "other", "agent_ids": [] });
        let (_, bo) = put(&server, "/v1/identities/", &bare).await;
        assert_eq!((&bo["id"], &bo["name"], &bo["agent_ids"]), (&json!(ids[0]), &json!("Bo"), &json!([])), "{bo}");
    }
}
