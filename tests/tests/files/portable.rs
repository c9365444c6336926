//! Folders and files leave a server with their agent, and come to one.

use mneme_tests::Server;
use serde_json::{Value, json};

use super::documents::{agent, both, called, folder, form, pdf, send, settled, stored};

const NOTES: &str = "Timber is a dog.\nHe was born in May.\nHe likes the ball.\nHis friend is a cat.\n";

async fn exported(server: &Server, agent: &str) -> Value {
    let (status, file) = server.get(&format!("/v1/agents/{agent}/export")).await;
    assert_eq!(status, 200, "{file}");
    file
}

async fn imported(server: &Server, file: &Value) -> Vec<String> {
    let answer = send(server, "/v1/agents/import", form("a.af", file.to_string().as_bytes())).await.unwrap();
    let (status, body) = (answer.status().as_u16(), answer.json::<Value>().await.unwrap());
    assert_eq!(status, 200, "{body}");
    body["agent_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

async fn list(server: &Server, path: &str) -> Vec<Value> {
    let (status, all) = server.get(path).await;
    assert_eq!(status, 200, "{all}");
    all.as_array().unwrap().clone()
}

/// What has to be the same wherever the agent is.
fn essence(file: &Value) -> Value {
    let mut essence = json!({});
    for (kind, fields) in [
        ("sources", &["id", "description", "instructions", "metadata", "embedding_config"][..]),
        ("files", &["id", "source_id", "original_file_name", "file_type", "file_size", "content", "total_chunks"][..]),
    ] {
        let of = |one: &Value| fields.iter().map(|field| one[*field].clone()).collect::<Value>();
        essence[kind] = file[kind].as_array().unwrap().iter().map(of).collect();
    }
    let views = file["agents"][0]["files_agents"].as_array().unwrap().iter();
    let of = |view: &Value| {
        json!([view["file_id"], view["is_open"], view["visible_content"], view["start_line"], view["end_line"]])
    };
    essence["views"] = views.map(of).collect();
    essence
}

#[tokio::test]
async fn folders_go_with_their_agents_and_are_read_and_searched_again() {
    for (provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        let more = json!({ "instructions": "Read it first.", "metadata": { "shelf": 3 } });
        assert_eq!(server.patch(&format!("/v1/folders/{docs}"), &more).await.0, 200);
        stored(&server, &docs, "notes.txt", NOTES.as_bytes()).await;
        let page = stored(&server, &docs, "page.pdf", &pdf(&["Water boils at a hundred degrees".to_owned()])).await;
        let reader = agent(&server, json!({ "folder_ids": [docs] })).await;
        let part = json!({ "file_requests": [{ "file_name": "docs/notes.txt", "offset": 1, "length": 2 }] });
        called(&server, &provider, &reader, "open_files", part).await;
        let path = format!("/v1/agents/{reader}/files/{}/close", page["id"].as_str().unwrap());
        assert_eq!(server.patch(&path, &json!({})).await.0, 200);

        let mut file = exported(&server, &reader).await;
        assert_eq!(file["sources"][0]["name"], "docs");
        assert_eq!(file["agents"][0]["source_ids"], json!(["source-0"]));
        assert_eq!(file["files"][0]["content"], NOTES);
        let before = essence(&file);
        let views: Vec<(&Value, &Value)> = before["views"].as_array().unwrap().iter().map(|v| (&v[1], &v[3])).collect();
        assert_eq!(views, [(&json!(true), &json!(2)), (&json!(false), &Value::Null)]);
        let mut second = file["agents"][0].clone();
        second["id"] = "agent-1".into();
        second["name"] = "Second".into();
        file["agents"].as_array_mut().unwrap().push(second);

        let ids = imported(&server, &file).await;
        let mut homes = Vec::new();
        for id in &ids {
            let folders = list(&server, &format!("/v1/agents/{id}/folders")).await;
            assert_eq!((folders.len(), &folders[0]["name"]), (1, &json!("docs_(1)")), "{folders:?}");
            homes.push(folders[0]["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(homes[0], homes[1], "the folder is shared still");
        assert_ne!(homes[0], docs);
        for found in list(&server, &format!("/v1/folders/{}/files", homes[0])).await {
            let found = settled(&server, &homes[0], found["id"].as_str().unwrap()).await;
            assert_eq!((&found["processing_status"], &found["error_message"]), (&json!("completed"), &Value::Null));
            assert_eq!(found["chunks_embedded"], found["total_chunks"], "{found}");
        }
        let after = exported(&server, &ids[0]).await;
        assert_eq!(essence(&after), before);
        let question = json!({ "query": "When does water boil?" });
        let found = called(&server, &provider, &ids[1], "semantic_search_files", question).await;
        assert!(found["tool_return"].as_str().unwrap().contains("docs_(1)/page.pdf"), "{found}");
        let prompt = provider.chats().last().unwrap().system_prompt();
        assert!(prompt.contains("<instructions>Read it first.</instructions>"), "{prompt}");
        assert!(prompt.contains("[Viewing lines 2 to 3 (out of 4 lines)]\n2: He was born in May."), "{prompt}");

        // The home of the first agent is as it was.
        let kept = list(&server, &format!("/v1/folders/{docs}/files")).await;
        assert_eq!(kept.len(), 2);
    }
}
