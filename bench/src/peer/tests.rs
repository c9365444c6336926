use super::*;
use crate::client::Client;

fn request(method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string()
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

#[tokio::test]
async fn the_path_decides_about_the_tools_and_lists_are_counted() {
    let peer = Peer::start().expect("a server");
    let mut client = Client::connect(peer.port).await.expect("a connection");
    let list = request("tools/list", json!({}));
    let one = read(&client.post(ECHO, list.clone()).await.expect("an answer"));
    assert_eq!((&one["id"], &one["result"]["tools"][0]["name"]), (&json!(7), &json!("echo")));
    let many = read(&client.post("/many/3", list).await.expect("an answer"));
    assert_eq!(many["result"]["tools"].as_array().map(Vec::len), Some(MANY));
    let call = request("tools/call", json!({"name": "echo", "arguments": {"text": "hello"}}));
    let said = read(&client.post(ECHO, call).await.expect("an answer"));
    assert_eq!(said["result"]["content"][0]["text"], format!("{SAID}hello"));
    assert_eq!(peer.lists(), 2);
}

#[tokio::test]
async fn it_offers_no_stream() {
    let peer = Peer::start().expect("a server");
    let mut client = Client::connect(peer.port).await.expect("a connection");
    assert!(matches!(client.get(ECHO).await, Err(Failure::Unserved(_))));
}
