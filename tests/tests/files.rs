//! Folders and files in the real server: what agents see of them, what becomes of uploads, and what does not.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use mneme_tests::{Provider, Server};
use serde_json::{Value, json};

#[path = "files/documents.rs"]
mod documents;

use documents::{agent, both, called, folder, form, pdf, post, say, send, settled, stored, until, upload};

const NOTES: &str = "Timber is a dog.\nHe was born in May.\nHe likes the ball.\nHis friend is a cat.\n";

#[tokio::test]
async fn an_agent_reads_its_files_with_its_tools_and_loses_them_with_the_folder() {
    for (provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        let notes = stored(&server, &docs, "notes.txt", NOTES.as_bytes()).await;
        assert_eq!((&notes["file_name"], &notes["chunks_embedded"]), (&json!("docs/notes.txt"), &json!(1)), "{notes}");
        let reader = agent(&server, json!({ "folder_ids": [docs], "max_files_open": 2 })).await;

        let part = json!({ "file_requests": [{ "file_name": "docs/notes.txt", "offset": 1, "length": 2 }] });
        let opened = called(&server, &provider, &reader, "open_files", part).await;
        assert_eq!(opened["tool_return"], "* Opened docs/notes.txt (lines 2-3)", "{opened}");
        let prompt = provider.chats().last().unwrap().system_prompt();
        assert!(
            prompt.contains("[Viewing lines 2 to 3 (out of 4 lines)]\n2: He was born in May.\n3: He likes"),
            "{prompt}"
        );
        assert!(prompt.contains("<directory name=\"docs\">\n<description>For tests.</description>"), "{prompt}");

        let found = called(&server, &provider, &reader, "grep_files", json!({ "pattern": "BALL$|ball" })).await;
        let text = found["tool_return"].as_str().unwrap();
        assert!(text.contains("> 3: He likes the ball.\n  4: His friend is a cat."), "{text}");
        let question = json!({ "query": "When was Timber born?" });
        let found = called(&server, &provider, &reader, "semantic_search_files", question).await;
        let text = found["tool_return"].as_str().unwrap();
        assert!(text.contains("docs/notes.txt (meaning #1, words #1)") && text.contains("born in May"), "{text}");
        let missing = json!({ "file_requests": [{ "file_name": "docs/none.txt" }] });
        let refused = called(&server, &provider, &reader, "open_files", missing).await;
        assert_eq!(refused["status"], "error", "{refused}");

        // A file that comes later is seen without anybody's doing, and the least recently used one gives way.
        for name in ["a.md", "b.md"] {
            stored(&server, &docs, name, format!("# {name}\n\nnews of {name}").as_bytes()).await;
        }
        say(&server, &provider, &reader).await;
        let prompt = provider.chats().last().unwrap().system_prompt();
        assert!(prompt.contains("3: news of b.md") && prompt.contains("- current_files_open=2"), "{prompt}");
        assert!(prompt.contains("<file status=\"closed\" name=\"docs/notes.txt\"/>"), "{prompt}");
        let (_, memory) = server.get(&format!("/v1/agents/{reader}/core-memory")).await;
        assert_eq!(memory["file_blocks"][1]["label"], "docs/b.md", "{memory}");

        let (_, state) = server.patch(&format!("/v1/agents/{reader}/folders/detach/{docs}"), &json!({})).await;
        let names: Vec<&str> = state["tools"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
        assert!(!names.contains(&"open_files") && names.contains(&"memory_insert"), "{names:?}");
        say(&server, &provider, &reader).await;
        let prompt = provider.chats().last().unwrap().system_prompt();
        assert!(!prompt.contains("<directories>") && !prompt.contains("news of"), "{prompt}");
    }
}

#[tokio::test]
async fn an_upload_is_waited_for_as_a_job() {
    for (_provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        for (name, content, end) in [("notes.txt", NOTES, "completed"), ("broken.pdf", "%PDF-1.4\nnothing", "failed")] {
            let (status, file) = upload(&server, &docs, name, content.as_bytes(), "").await;
            assert_eq!(status, 200, "{file}");
            let path = format!("/v1/jobs/{}", file["id"].as_str().unwrap());
            let job = until("the end of the job", async || {
                let (status, job) = server.get(&path).await;
                assert_eq!((status, &job["id"]), (200, &file["id"]), "{job}");
                matches!(job["status"].as_str(), Some("completed" | "failed")).then_some(job)
            })
            .await;
            assert_eq!((&job["status"], &job["metadata"]["source_id"]), (&json!(end), &json!(docs)), "{job}");
            assert_eq!(job["metadata"]["error"].is_string(), end == "failed", "{job}");
            assert!(job["completed_at"].is_string(), "{job}");
            let (status, refused) = server.delete(&path).await;
            assert_eq!(status, 422, "a file is deleted in its folder: {refused}");
        }
        let nobody = "/v1/jobs/file-00000000-0000-4000-8000-000000000000";
        assert_eq!(server.get(nobody).await.0, 404);
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_everywhere() {
    for (provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        let notes = stored(&server, &docs, "notes.txt", NOTES.as_bytes()).await;
        let id = notes["id"].as_str().unwrap();
        let reader = agent(&server, json!({})).await;
        server.patch(&format!("/v1/agents/{reader}/folders/attach/{docs}"), &json!({})).await;
        let (_, files) = server.get(&format!("/v1/agents/{reader}/files?is_open=true")).await;
        assert_eq!(files["files"].as_array().unwrap().len(), 1, "{files}");

        assert_eq!(server.delete(&format!("/v1/folders/{docs}/{id}")).await.0, 204);
        let (_, files) = server.get(&format!("/v1/agents/{reader}/files")).await;
        assert_eq!(files["files"], json!([]));
        let (_, passages) = server.get(&format!("/v1/folders/{docs}/passages")).await;
        assert_eq!(passages, json!([]));
        let found = called(&server, &provider, &reader, "semantic_search_files", json!({ "query": "Timber" })).await;
        assert_eq!(found["tool_return"], "Nothing in your files matches 'Timber'.");
        assert_eq!(server.delete(&format!("/v1/folders/{docs}/{id}")).await.0, 404);

        stored(&server, &docs, "again.txt", NOTES.as_bytes()).await;
        assert_eq!(server.delete(&format!("/v1/folders/{docs}")).await.0, 200);
        let (_, tools) = server.get(&format!("/v1/agents/{reader}/tools?limit=50")).await;
        assert!(!tools.to_string().contains("grep_files"), "{tools}");
        let (_, totals) = server.get("/v1/folders/metadata?include_detailed_per_source_metadata=true").await;
        assert_eq!(totals, json!({ "total_sources": 0, "total_files": 0, "total_size": 0, "sources": [] }));
    }
}

#[tokio::test]
async fn the_list_of_an_agents_files_is_walked_by_either_identifier() {
    for (_provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        for name in ["a.txt", "b.txt", "c.txt"] {
            stored(&server, &docs, name, name.as_bytes()).await;
        }
        let reader = agent(&server, json!({ "folder_ids": [docs] })).await;
        // 1.x clients go on from an entry's `id`, others from a file's or from `next_cursor`.
        for key in ["id", "file_id"] {
            let mut seen: Vec<String> = Vec::new();
            let mut cursor = String::new();
            loop {
                let (_, page) = server.get(&format!("/v1/agents/{reader}/files?limit=1{cursor}")).await;
                let Some(last) = page["files"].as_array().unwrap().last() else { break };
                seen.push(last["file_name"].as_str().unwrap().to_owned());
                assert!(seen.len() <= 3, "the walk does not end: {seen:?}");
                cursor = format!("&after={}", last[key].as_str().unwrap());
            }
            assert_eq!(seen, ["docs/c.txt", "docs/b.txt", "docs/a.txt"], "by {key}");
        }
        let (_, page) = server.get(&format!("/v1/agents/{reader}/files?limit=2")).await;
        let next = format!("/v1/agents/{reader}/files?cursor={}", page["next_cursor"].as_str().unwrap());
        let (_, rest) = server.get(&next).await;
        assert_eq!((rest["files"].as_array().unwrap().len(), &rest["has_more"]), (1, &json!(false)), "{rest}");
    }
}

#[tokio::test]
async fn names_that_are_taken_are_handled_as_the_uploader_wants() {
    for (_provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        let first = stored(&server, &docs, "n.txt", b"one").await;
        let (_, second) = upload(&server, &docs, "n.txt", b"two", "").await;
        assert_eq!((&second["file_name"], &second["original_file_name"]), (&json!("docs/n_(1).txt"), &json!("n.txt")));
        let (_, kept) = upload(&server, &docs, "n.txt", b"three", "?duplicate_handling=skip").await;
        assert_eq!((&kept["id"], &kept["processing_status"]), (&first["id"], &json!("completed")), "{kept}");
        let (status, refused) = upload(&server, &docs, "n.txt", b"four", "?duplicate_handling=error").await;
        assert_eq!(
            (status, refused["detail"].as_str().unwrap().contains("already exists in folder 'docs'")),
            (400, true)
        );
        let (_, replaced) = upload(&server, &docs, "x.txt", b"five", "?duplicate_handling=replace&name=n.txt").await;
        assert_ne!(replaced["id"], first["id"]);
        let replaced = settled(&server, &docs, replaced["id"].as_str().unwrap()).await;
        assert_eq!((&replaced["file_name"], &replaced["content"]), (&json!("docs/n.txt"), &json!("five")));
        let (_, all) = server.get(&format!("/v1/folders/{docs}/files")).await;
        assert_eq!(all.as_array().unwrap().len(), 2, "{all}");

        // Ten at once with one name: ten files, no error.
        let uploads = (0..10).map(|n| {
            let (server, docs) = (&server, &docs);
            async move { upload(server, docs, "same.txt", format!("{n}").as_bytes(), "").await }
        });
        let mut names: Vec<String> = Vec::new();
        for (status, file) in futures::future::join_all(uploads).await {
            assert_eq!(status, 200, "{file}");
            names.push(file["file_name"].as_str().unwrap().to_owned());
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 10, "{names:?}");
        let (_, renamed) = server.patch(&format!("/v1/folders/{docs}"), &json!({ "name": "papers" })).await;
        assert_eq!(renamed["name"], "papers", "{renamed}\n{}", server.log());
        let (_, passages) = server.get(&format!("/v1/folders/{docs}/passages")).await;
        assert!(passages.as_array().unwrap().iter().all(|p| p["file_name"].as_str().unwrap().starts_with("papers/")));
    }
}

#[tokio::test]
async fn what_cannot_be_read_says_why_and_leaves_nothing_behind() {
    for (_provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        let cut = &pdf(&["Hello".to_owned()])[..50];
        for (name, content, hint) in [
            ("cut.pdf", cut, "damaged or cut off"),
            ("lie.pdf", &b"only words"[..], "is no PDF"),
            ("lie.txt", &b"\x7fELF\x02\x01\x01\0\0\0"[..], "a program (ELF)"),
            ("none.pdf", &pdf(&[String::new()])[..], "no text in it"),
            ("old.docx", &b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 rest"[..], "old binary format"),
        ] {
            let file = stored(&server, &docs, name, content).await;
            assert_eq!(file["processing_status"], "error", "{file}");
            assert!(file["error_message"].as_str().unwrap().contains(hint), "{file}");
            assert_eq!((&file["content"], &file["total_chunks"]), (&Value::Null, &Value::Null), "{file}");
        }
        let (_, passages) = server.get(&format!("/v1/folders/{docs}/passages")).await;
        assert_eq!(passages, json!([]));
        assert_eq!(std::fs::read_dir(server.data_dir().join("uploads")).unwrap().count(), 0, "uploads are removed");
        let (status, refused) = upload(&server, &docs, "x.exe", b"MZ\0\x01", "").await;
        assert_eq!(status, 415, "{refused}");
        let answer =
            send(&server, &format!("/v1/folders/{docs}/upload"), form("a.txt", b"").replace_name()).await.unwrap();
        assert_eq!(answer.status().as_u16(), 422);
        let (status, _) = upload(&server, "source-00000000-0000-4000-8000-000000000000", "a.txt", b"x", "").await;
        assert_eq!(status, 404);
    }
}

/// A form whose file has another field's name.
trait ReplaceName {
    fn replace_name(self) -> Self;
}

impl ReplaceName for Vec<u8> {
    fn replace_name(self) -> Self {
        String::from_utf8(self).unwrap().replace("name=\"file\"", "name=\"other\"").into_bytes()
    }
}

#[tokio::test]
async fn a_disk_that_takes_nothing_refuses_the_upload_and_loses_nothing() {
    let provider = Provider::start().await;
    let mut server = Server::builder().provider(&provider).start().await;
    let docs = folder(&server, "docs").await;
    stored(&server, &docs, "kept.txt", b"kept").await;
    // A folder below a file: whatever is written there fails.
    let nowhere = server.data_dir().join("mneme.toml");
    std::fs::write(&nowhere, "").unwrap();
    let nowhere = nowhere.join("uploads");
    server.restart_as(|builder| builder.env("MNEME_UPLOADS_DIR", nowhere.to_str().unwrap())).await;
    let (status, refused) = upload(&server, &docs, "lost.txt", b"lost", "").await;
    assert_eq!((status, refused["detail"].as_str().unwrap().contains("disk may be full")), (503, true), "{refused}");
    server.restart_as(|builder| builder.without_env("MNEME_UPLOADS_DIR")).await;
    let (_, files) = server.get(&format!("/v1/folders/{docs}/files?include_content=true")).await;
    assert_eq!((files.as_array().unwrap().len(), &files[0]["content"]), (1, &json!("kept")), "{files}");
    assert_eq!(stored(&server, &docs, "again.txt", b"again").await["content"], "again");
}

#[tokio::test]
async fn files_are_read_and_found_by_words_when_nothing_can_be_embedded() {
    for (provider, server) in both().await {
        let config = json!({
            "embedding_endpoint_type": "openai", "embedding_model": "small", "embedding_dim": 8, "handle": "gone/small",
        });
        let docs = post(&server, "/v1/folders/", json!({ "name": "docs", "embedding_config": config })).await;
        let docs = docs["id"].as_str().unwrap();
        let file = stored(&server, docs, "notes.txt", NOTES.as_bytes()).await;
        assert_eq!((&file["processing_status"], &file["chunks_embedded"]), (&json!("completed"), &json!(0)), "{file}");
        assert!(file["error_message"].as_str().unwrap().contains("found by their words"), "{file}");
        let reader = agent(&server, json!({ "folder_ids": [docs] })).await;
        let found = called(&server, &provider, &reader, "semantic_search_files", json!({ "query": "cat" })).await;
        assert!(found["tool_return"].as_str().unwrap().contains("(words #1)"), "{found}");
    }
}

/// Files of many pages, so that there is something to interrupt.
fn long_pdf() -> Vec<u8> {
    pdf(&(0..400).map(|page| format!("Page {page} tells of the river number {page}")).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_file_deleted_while_it_is_read_leaves_nothing() {
    for (_provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        for _ in 0..5 {
            let (_, file) = upload(&server, &docs, "long.pdf", &long_pdf(), "").await;
            let id = file["id"].as_str().unwrap();
            assert_eq!(server.delete(&format!("/v1/folders/{docs}/{id}")).await.0, 204);
        }
        until("the end of the reading", async || {
            (std::fs::read_dir(server.data_dir().join("uploads")).unwrap().count() == 0).then_some(())
        })
        .await;
        stored(&server, &docs, "last.txt", b"the last one").await;
        let (_, passages) = server.get(&format!("/v1/folders/{docs}/passages")).await;
        let texts: Vec<&str> = passages.as_array().unwrap().iter().map(|p| p["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["the last one"]);
    }
}

#[tokio::test]
async fn a_killed_server_goes_on_with_what_it_had_received() {
    for (_provider, mut server) in both().await {
        let docs = folder(&server, "docs").await;
        for round in 0..3 {
            let (_, file) = upload(&server, &docs, &format!("{round}.pdf"), &long_pdf(), "").await;
            let id = file["id"].as_str().unwrap().to_owned();
            tokio::time::sleep(Duration::from_millis(40 * round)).await;
            server.kill();
            server.restart().await;
            let file = settled(&server, &docs, &id).await;
            assert_eq!(file["processing_status"], "completed", "{file}");
            assert!(file["content"].as_str().unwrap().contains("river number 399"));
            assert_eq!(file["chunks_embedded"], file["total_chunks"]);
            assert_eq!(server.delete(&format!("/v1/folders/{docs}/{id}")).await.0, 204);
            let (_, passages) = server.get(&format!("/v1/folders/{docs}/passages?limit=1000")).await;
            assert_eq!(passages, json!([]), "nothing is there twice");
        }
    }
}

#[tokio::test]
async fn an_upload_that_is_lost_says_so() {
    let provider = Provider::start().await;
    let mut server = Server::builder().provider(&provider).start().await;
    let docs = folder(&server, "docs").await;
    let (_, file) = upload(&server, &docs, "long.pdf", &long_pdf(), "").await;
    server.kill();
    std::fs::remove_dir_all(server.data_dir().join("uploads")).unwrap();
    server.restart().await;
    let file = settled(&server, &docs, file["id"].as_str().unwrap()).await;
    // It may have been read before the end came.
    if file["processing_status"] == "error" {
        assert!(file["error_message"].as_str().unwrap().contains("upload it again"), "{file}");
        let (_, again) = upload(&server, &docs, "long.pdf", &long_pdf(), "?duplicate_handling=replace").await;
        let again = settled(&server, &docs, again["id"].as_str().unwrap()).await;
        assert_eq!(again["processing_status"], "completed", "{again}");
    }
}
