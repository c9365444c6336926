//! Uploads on their way into an index, in the real server: killed at every step, with models of their own, too large.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::time::Duration;

use mneme_tests::{Postgres, Provider, Server};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[path = "files/documents.rs"]
#[allow(dead_code, reason = "this test makes no PDF")]
mod documents;

use documents::{BOUNDARY, agent, both, called, folder, form, send, settled, stored, until, upload};

/// Where the server dies: with the text read, before and after it is kept, and after each of two batches of vectors.
const POINTS: [&str; 5] = ["file.read:1", "file.unstored:1", "file.stored:1", "file.embedded:1", "file.embedded:2"];

/// One line for each day. Twelve thousand are some five hundred chunks: more than are embedded at a time.
fn chronicle(days: usize) -> String {
    (0..days).map(|day| format!("On day {day} the heron stood in the reeds again.\n")).collect()
}

/// A text without its white space, which chunks leave out between them.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

async fn chunks(server: &Server, folder: &str) -> Vec<Value> {
    let (status, list) = server.get(&format!("/v1/folders/{folder}/passages?limit=1000&order=asc")).await;
    assert_eq!(status, 200, "{list}");
    list.as_array().unwrap().clone()
}

/// Waits for the death of a server that is to die at a point.
async fn died(server: &mut Server, point: &str) {
    let death = async {
        while server.is_alive() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let died = tokio::time::timeout(Duration::from_secs(60), death).await;
    assert!(died.is_ok(), "{point} was never reached\n{}", server.log());
}

async fn no_kill_leaves_a_file_half_indexed(on_postgres: bool) {
    let provider = Provider::start().await;
    let mut builder = Server::builder().provider(&provider).env("MNEME_RUN_LEASE_SECONDS", "2");
    if on_postgres {
        builder = builder.database_url(&Postgres::shared().create_database());
    }
    let mut server = builder.start().await;
    let text = chronicle(12_000);
    for point in POINTS {
        server.restart_as(|builder| builder.env("MNEME_FAILPOINT", point)).await;
        let docs = folder(&server, &point.replace([':', '.'], "-")).await;
        // The server may die before it answers.
        let _ = send(&server, &format!("/v1/folders/{docs}/upload"), form("chronicle.txt", text.as_bytes())).await;
        died(&mut server, point).await;
        server.restart_as(|builder| builder.without_env("MNEME_FAILPOINT")).await;
        let (_, files) = server.get(&format!("/v1/folders/{docs}/files")).await;
        assert_eq!(files.as_array().unwrap().len(), 1, "{point}: {files}");
        let file = settled(&server, &docs, files[0]["id"].as_str().unwrap()).await;
        assert_eq!(file["processing_status"], "completed", "{point}: {}", file["error_message"]);
        assert_eq!(file["content"], text, "{point}");
        let chunks = chunks(&server, &docs).await;
        assert!(chunks.len() > 256, "{}", chunks.len());
        assert_eq!((&file["total_chunks"], &file["chunks_embedded"]), (&json!(chunks.len()), &json!(chunks.len())));
        assert!(chunks.iter().all(|chunk| chunk["embedding_config"].is_object()), "{point}");
        let indexed: String = chunks.iter().map(|chunk| squeezed(chunk["text"].as_str().unwrap())).collect();
        assert!(indexed == squeezed(&text), "{point}: everything is there once, in its order");
        until("the end of the upload", async || {
            (std::fs::read_dir(server.data_dir().join("uploads")).unwrap().count() == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn no_kill_leaves_a_file_half_indexed_on_sqlite() {
    no_kill_leaves_a_file_half_indexed(false).await;
}

#[tokio::test]
async fn no_kill_leaves_a_file_half_indexed_on_postgres() {
    no_kill_leaves_a_file_half_indexed(true).await;
}

#[tokio::test]
async fn another_server_goes_on_with_the_vectors_of_one_that_was_killed() {
    let provider = Provider::start().await;
    let (url, key) = (Postgres::shared().create_database(), "5c".repeat(32));
    let builder = || {
        let builder = Server::builder().provider(&provider).database_url(&url);
        builder.env("MNEME_RUN_LEASE_SECONDS", "2").env("MNEME_MASTER_KEY", &key)
    };
    let point = "file.embedded:1";
    let mut one = builder().env("MNEME_FAILPOINT", point).start().await;
    let two = builder().start().await;
    let docs = folder(&two, "docs").await;
    let upload = format!("/v1/folders/{docs}/upload");
    // The server may die before it answers.
    let _ = send(&one, &upload, form("chronicle.txt", chronicle(12_000).as_bytes())).await;
    died(&mut one, point).await;
    let (_, files) = two.get(&format!("/v1/folders/{docs}/files")).await;
    let file = settled(&two, &docs, files[0]["id"].as_str().unwrap()).await;
    assert_eq!(file["processing_status"], "completed", "{}", file["error_message"]);
    let chunks = chunks(&two, &docs).await;
    assert_eq!((&file["total_chunks"], &file["chunks_embedded"]), (&json!(chunks.len()), &json!(chunks.len())));
    assert!(chunks.iter().all(|chunk| chunk["embedding_config"].is_object()));
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_read_leaves_only_the_last() {
    for (_provider, server) in both().await {
        let docs = folder(&server, "docs").await;
        let mut last = String::new();
        for edition in 0..5 {
            let text = format!("Edition {edition}\n{}", chronicle(2_000));
            let replace = "?duplicate_handling=replace";
            let (status, file) = upload(&server, &docs, "book.txt", text.as_bytes(), replace).await;
            assert_eq!((status, &file["file_name"]), (200, &json!("docs/book.txt")), "{file}");
            last = file["id"].as_str().unwrap().to_owned();
        }
        let file = settled(&server, &docs, &last).await;
        assert!(file["content"].as_str().unwrap().starts_with("Edition 4\n"), "{}", file["error_message"]);
        until("the end of the uploads", async || {
            (std::fs::read_dir(server.data_dir().join("uploads")).unwrap().count() == 0).then_some(())
        })
        .await;
        let (_, files) = server.get(&format!("/v1/folders/{docs}/files")).await;
        assert_eq!(files.as_array().unwrap().len(), 1, "{files}");
        let chunks = chunks(&server, &docs).await;
        assert!(chunks.iter().all(|chunk| chunk["file_id"] == last), "nothing of the others is left");
        assert_eq!((&json!(chunks.len()), &file["chunks_embedded"]), (&file["total_chunks"], &file["total_chunks"]));
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

fn config(handle: &str) -> Value {
    let model = handle.rsplit('/').next().unwrap();
    json!({ "embedding_endpoint_type": "openai", "embedding_model": model, "embedding_dim": 1536, "handle": handle })
}

#[tokio::test]
async fn each_folder_is_filled_and_searched_with_its_own_model_and_may_get_another() {
    const SMALL: &str = "text-embedding-3-small";
    const LARGE: &str = "text-embedding-3-large";
    for (provider, server) in both().await {
        let made = documents::post(
            &server,
            "/v1/folders/",
            json!({ "name": "birds", "embedding_config": config(&format!("openai/{LARGE}")) }),
        );
        let birds = made.await["id"].as_str().unwrap().to_owned();
        let fish = folder(&server, "fish").await;
        stored(&server, &birds, "heron.txt", b"The heron waits in the reeds.").await;
        stored(&server, &fish, "pike.txt", b"The pike hides under the bridge.").await;
        assert_eq!(models_asked(&provider, "heron waits"), [LARGE]);
        assert_eq!(models_asked(&provider, "pike hides"), [SMALL]);
        let reader = agent(&server, json!({ "folder_ids": [birds, fish] })).await;
        let search = async |query: &str| -> String {
            let found = called(&server, &provider, &reader, "semantic_search_files", json!({ "query": query })).await;
            found["tool_return"].as_str().unwrap().to_owned()
        };
        let found = search("waits in silence").await;
        assert!(
            found.contains("birds/heron.txt (meaning #1") && found.contains("fish/pike.txt (meaning #2"),
            "{found}"
        );
        assert_eq!(models_asked(&provider, "waits in silence"), [LARGE, SMALL]);

        // Another model for one folder: its files are embedded anew, and found by meaning again.
        let (status, changed) = server
            .patch(&format!("/v1/folders/{fish}"), &json!({ "embedding_config": config(&format!("openai/{LARGE}")) }))
            .await;
        assert_eq!(status, 200, "{changed}");
        until("the new vectors", async || {
            let chunks = chunks(&server, &fish).await;
            (chunks[0]["embedding_config"]["handle"] == format!("openai/{LARGE}")).then_some(())
        })
        .await;
        let found = search("hides under mud").await;
        assert!(found.contains("fish/pike.txt (meaning #1"), "{found}");
        assert_eq!(models_asked(&provider, "hides under mud"), [LARGE]);

        // A model that is gone: the file and the search say which folder needs which.
        let gone = json!({ "embedding_config": config("gone/small") });
        assert_eq!(server.patch(&format!("/v1/folders/{birds}"), &gone).await.0, 200);
        assert_eq!(server.patch(&format!("/v1/folders/{fish}"), &gone).await.0, 200);
        let file = stored(&server, &birds, "owl.txt", b"The owl calls at night.").await;
        let note = file["error_message"].as_str().unwrap();
        assert!(note.contains("folder 'birds' needs the embedding model gone/small"), "{note}");
        let refused = search("velvet").await;
        assert!(
            refused.contains(&format!("folder 'birds' ({birds}) needs the embedding model gone/small")),
            "{refused}"
        );
        let found = search("owl").await;
        assert!(found.contains("birds/owl.txt (words #1)"), "{found}");
    }
}

/// Begins an upload by hand: the request's head, and the form up to the content of its file.
async fn begun(server: &Server, folder: &str, length: &str) -> TcpStream {
    let address = server.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /v1/folders/{folder}/upload HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn two_gigabytes_are_refused_without_being_read() {
    let provider = Provider::start().await;
    let server = Server::builder().provider(&provider).env("MNEME_MAX_UPLOAD_BYTES", "100000").start().await;
    let docs = folder(&server, "docs").await;

    // Announced: answered before a byte of it was sent.
    let mut stream = begun(&server, &docs, "Content-Length: 2147483648").await;
    let mut answer = [0; 512];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    drop(stream);

    // Not announced: the server stops reading soon after the limit, whatever the client still has.
    let mut stream = begun(&server, &docs, "Transfer-Encoding: chunked").await;
    let whole = form("big.txt", b"");
    let opening = &whole[..whole.len() - BOUNDARY.len() - 8];
    let mut frame = format!("{:x}\r\n", opening.len()).into_bytes();
    frame.extend_from_slice(opening);
    frame.extend_from_slice(b"\r\n");
    stream.write_all(&frame).await.unwrap();
    let frame = [b"10000\r\n".as_slice(), &[b'a'; 0x10000], b"\r\n"].concat();
    let (mut reader, mut writer) = stream.into_split();
    let mut answer = [0; 512];
    let mut sent = 0_usize;
    let answer = loop {
        assert!(sent < 64 << 20, "the server reads on and on");
        tokio::select! {
            read = reader.read(&mut answer) => break read.map(|read| String::from_utf8_lossy(&answer[..read]).into_owned()),
            written = writer.write_all(&frame) => match written {
                Ok(()) => sent += frame.len(),
                Err(error) => break Err(error),
            },
        }
    };
    // A connection that is closed while its client still sends may be reset before the answer is read.
    if let Ok(answer) = answer {
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{answer}");
    }

    let (_, files) = server.get(&format!("/v1/folders/{docs}/files")).await;
    assert_eq!(files, json!([]));
    until("the end of the uploads", async || {
        (std::fs::read_dir(server.data_dir().join("uploads")).unwrap().count() == 0).then_some(())
    })
    .await;
    assert_eq!(stored(&server, &docs, "small.txt", b"still fine").await["content"], "still fine");
}
