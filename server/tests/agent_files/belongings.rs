//! What files of other servers hold besides agents, blocks and tools.

use super::*;

/// The example with other lists in it; the first agent has the fields as well.
fn with(lists: &[(&str, Value)], fields: &[(&str, Value)]) -> String {
    let mut file: Value = serde_json::from_str(CURRENT).unwrap();
    for (kind, list) in lists {
        file[*kind] = list.clone();
    }
    for (key, value) in fields {
        file["agents"][0][*key] = value.clone();
    }
    file.to_string()
}

#[tokio::test]
async fn folders_with_little_in_them_are_read() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let folders = json!([{"id": "source-7", "name": "docs", "description": null, "embedding_config": null}]);
    let files =
        json!([{"id": "file-3", "source_id": "source-7", "file_name": null, "content": null, "file_size": null}]);
    let views = json!([{"id": "file_agent-0", "agent_id": "agent-0", "file_id": "file-3", "source_id": "source-7",
        "file_name": "x", "is_open": true, "visible_content": null, "start_line": null}]);
    let lists = [("sources", folders), ("files", files), ("groups", Value::Null), ("mcp_servers", Value::Null)];
    let file = with(&lists, &[("files_agents", views), ("source_ids", Value::Null)]);
    let ids = imported(&app, &file, &[]).await;
    let seen = read(&app, &format!("/v1/agents/{}/files", ids[0])).await;
    assert_eq!(seen["files"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!((&seen["files"][0]["file_name"], &seen["files"][0]["is_open"]), (&json!("docs/file-3"), &json!(false)));
    let folder = seen["files"][0]["folder_id"].as_str().unwrap();
    let held = read(&app, &format!("/v1/folders/{folder}/files")).await;
    assert_eq!(held[0]["processing_status"], "error");
    assert!(held[0]["error_message"].as_str().unwrap().contains("without its text"), "{held}");
    let agent = read(&app, &format!("/v1/agents/{}", ids[0])).await;
    assert!(agent["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "grep_files"), "{}", agent["tools"]);
    // Names that are taken get numbers.
    imported(&app, &file, &[]).await;
    let names: Vec<Value> =
        read(&app, "/v1/folders/?order=asc").await.as_array().unwrap().iter().map(|f| f["name"].clone()).collect();
    assert_eq!(names, ["docs", "docs_(1)"]);
}

#[tokio::test]
async fn what_is_wrong_with_folders_and_servers_is_said() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    let before = counts(&app).await;
    let docs = || json!([{"id": "source-0", "name": "docs"}]);
    let file = |more: Value| {
        let mut file = json!({"id": "file-0", "source_id": "source-0", "file_name": "a.txt", "content": "a"});
        file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([file])
    };
    let view = |more: Value| [("files_agents", json!([more]))];
    for (given, reason) in [
        (with(&[("sources", json!("x"))], &[]), "the file: sources: "),
        (with(&[("sources", json!([{"id": "source-0"}]))], &[]), "sources[0] 'source-0': it has no name"),
        (with(&[("sources", json!([{"name": "docs"}]))], &[]), "sources[0] 'docs': it has no id"),
        (with(&[("sources", json!([{"id": "s", "name": "a\nb"}]))], &[]), "a folder's name is"),
        (with(&[("files", file(json!({})))], &[]), "files[0] 'file-0': source_id: it is not in the file"),
        (
            with(&[("sources", docs()), ("files", file(json!({"content": [1]})))], &[]),
            "files[0] 'file-0': content: it is no text",
        ),
        (
            with(&[("sources", docs())], &[("source_ids", json!(["source-9"]))]),
            "agents[0] 'Travel desk': source_ids: 'source-9' is not in the file",
        ),
        (
            with(&[("sources", docs())], &view(json!({"file_id": "file-9"}))),
            "agents[0] 'Travel desk': files_agents[0]: file_id: 'file-9' is not in the file",
        ),
        (
            with(
                &[("sources", docs()), ("files", file(json!({})))],
                &view(json!({"file_id": "file-0", "start_line": "x"})),
            ),
            "files_agents[0]: start_line",
        ),
    ] {
        let refused = import(&app, &given, &[]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{reason}: {}", refused.text);
        assert!(refused.detail().contains(reason), "{reason}: {}", refused.text);
    }
    let server = |given: Value| with(&[("mcp_servers", json!([given]))], &[]);
    for (given, reason) in [
        (json!({"id": "m"}), "mcp_servers[0] 'm': it has no server_name"),
        (json!({"id": "m", "server_name": "crm", "server_type": "pigeon"}), "mcp_servers[0] 'crm': server_type"),
        (json!({"id": "m", "server_name": "crm", "server_url": "ftp://x"}), "server_url: it must be an address"),
    ] {
        let refused = import(&app, &server(given), &[]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{reason}: {}", refused.text);
        assert!(refused.detail().contains(reason), "{reason}: {}", refused.text);
    }
    assert_eq!(counts(&app).await, before);
    assert_eq!(read(&app, "/v1/folders/count").await, 0);
}

#[tokio::test]
async fn times_and_lines_beyond_all_others_are_taken() {
    let app = TestApp::new().await;
    app.core.start().await.unwrap();
    // The next message of the example does not say when it was made.
    let file = CURRENT.replace("2025-07-01T10:00:11Z", "+262142-12-31 23:59:59.999999");
    assert_ne!(file, CURRENT);
    let ids = imported(&app, &file, &[]).await;
    assert_eq!(said(&export(&app, &ids[0]).await, 0).len(), 5);

    let folders = json!([{"id": "source-0", "name": "docs"}]);
    let files = json!([{"id": "file-0", "source_id": "source-0", "file_name": "a.txt", "content": "one\ntwo\nthree"}]);
    let views = json!([{"file_id": "file-0", "start_line": 2, "end_line": u64::MAX}]);
    let file = with(&[("sources", folders), ("files", files)], &[("files_agents", views)]);
    let ids = imported(&app, &file, &[]).await;
    let seen = read(&app, &format!("/v1/agents/{}/files", ids[0])).await;
    let shown = seen["files"][0]["visible_content"].as_str().unwrap();
    assert!(shown.ends_with("\n2: two\n3: three"), "{seen}");
}
