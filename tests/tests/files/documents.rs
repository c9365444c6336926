//! Documents made for one purpose, and forms to upload them in.

use std::time::Duration;

use mneme_tests::{Postgres, Provider, Reply, Server};
use reqwest::Response;
use serde_json::{Value, json};

pub const BOUNDARY: &str = "boundary-of-a-test";

/// A server on each database.
pub async fn both() -> Vec<(Provider, Server)> {
    let mut all = Vec::new();
    for url in [None, Some(Postgres::shared().create_database())] {
        let provider = Provider::start().await;
        let mut builder = Server::builder().provider(&provider).env("MNEME_RUN_LEASE_SECONDS", "2");
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let server = builder.start().await;
        all.push((provider, server));
    }
    all
}

pub async fn post(server: &Server, path: &str, body: Value) -> Value {
    let (status, answer) = server.post(path, &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

pub async fn folder(server: &Server, name: &str) -> String {
    let body = json!({ "name": name, "embedding": "openai/text-embedding-3-small", "description": "For tests." });
    post(server, "/v1/folders/", body).await["id"].as_str().unwrap().to_owned()
}

pub async fn agent(server: &Server, more: Value) -> String {
    let mut body = json!({ "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    post(server, "/v1/agents/", body).await["id"].as_str().unwrap().to_owned()
}

/// A form with one file.
pub fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    [head.as_bytes(), content, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

pub async fn send(server: &Server, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Result<Response> {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    server.http().post(format!("{}{path}", server.url())).header("content-type", kind).body(body).send().await
}

/// Uploads a file; status and body.
pub async fn upload(server: &Server, folder: &str, name: &str, content: &[u8], query: &str) -> (u16, Value) {
    let answer = send(server, &format!("/v1/folders/{folder}/upload{query}"), form(name, content)).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Asks until the answer is there.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = probe().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not come to pass");
}

/// Waits until a file is read, for better or worse.
pub async fn settled(server: &Server, folder: &str, file: &str) -> Value {
    let path = format!("/v1/folders/{folder}/files/{file}?include_content=true");
    until("the reading of a file", async || {
        let (status, found) = server.get(&path).await;
        assert_eq!(status, 200, "{found}");
        matches!(found["processing_status"].as_str(), Some("completed" | "error")).then_some(found)
    })
    .await
}

/// Uploads a file and waits for it.
pub async fn stored(server: &Server, folder: &str, name: &str, content: &[u8]) -> Value {
    let (status, file) = upload(server, folder, name, content, "").await;
    assert_eq!(status, 200, "{file}");
    settled(server, folder, file["id"].as_str().unwrap()).await
}

/// Has the model make a call; its return.
pub async fn called(server: &Server, provider: &Provider, agent: &str, name: &str, arguments: Value) -> Value {
    provider.reply(Reply::tool_call(name, arguments)).reply(Reply::text("done"));
    let body = json!({ "messages": [{ "role": "user", "content": "go" }] });
    let answer = post(server, &format!("/v1/agents/{agent}/messages"), body).await;
    let messages = answer["messages"].as_array().unwrap();
    messages.iter().find(|message| message["message_type"] == "tool_return_message").unwrap().clone()
}

/// A message that the model answers in words.
pub async fn say(server: &Server, provider: &Provider, agent: &str) {
    provider.reply(Reply::text("ok"));
    let body = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    post(server, &format!("/v1/agents/{agent}/messages"), body).await;
}

/// A PDF with one line of text on each page.
pub fn pdf(lines: &[String]) -> Vec<u8> {
    let kids: String = (0..lines.len()).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Kids[{kids}]/Count {}>>", lines.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    for (page, line) in lines.iter().enumerate() {
        let stream = format!("BT /F1 24 Tf 72 720 Td ({line}) Tj ET");
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {} 0 R/Resources<</Font<</F1 3 0 R>>>>>>",
            5 + 2 * page
        ));
        objects.push(format!("<</Length {}>>stream\n{stream}\nendstream", stream.len()));
    }
    let mut out = b"%PDF-1.4\n".to_vec();
    let mut table = String::new();
    for (number, body) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.extend_from_slice(format!("{} 0 obj{body} endobj\n", number + 1).as_bytes());
    }
    let (start, size) = (out.len(), objects.len() + 1);
    out.extend_from_slice(
        format!(
            "xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF"
        )
        .as_bytes(),
    );
    out
}
