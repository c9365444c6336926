//! Servers that hang, lie and flood: each costs its own calls, and nobody else's time.

use std::time::{Duration, Instant};

use mneme_tests::{
    Provider, Reply, Server,
    mcp::{Behaviour, McpServer},
};
use serde_json::json;
use tokio::net::TcpListener;

use super::{called, create_agent, hasty, remote, set_up, tools_of};

#[tokio::test]
async fn a_server_that_hangs_in_any_phase_stalls_nobody_else() {
    let (provider, good, bad) = (Provider::start().await, McpServer::start().await, McpServer::start().await);
    let server = hasty(&provider).await;
    let good = tools_of(&server, &set_up(&server, remote("good", &good)).await).await[0]["id"].clone();
    let hung = set_up(&server, remote("bad", &bad)).await;
    let bad_tool = tools_of(&server, &hung).await[0]["id"].clone();
    let victim = create_agent(&server, json!({"tool_ids": [bad_tool]})).await;
    let other = create_agent(&server, json!({"tool_ids": [good]})).await;

    // In the middle of a call.
    bad.behave("tools/call", Some(Behaviour::Silent));
    let call = Reply::tool_call("echo", json!({"text": "x"}));
    provider.reply_to("go slow", call).reply_to("go slow", Reply::text("It did not work."));
    let path = format!("/v1/agents/{victim}/messages");
    let slow = json!({"messages": [{"role": "user", "content": "go slow"}]});
    let stuck = server.post(&path, &slow);
    let meanwhile = async {
        let began = Instant::now();
        let returned = called(&server, &provider, &other, "echo", json!({"text": "quick"})).await;
        assert_eq!(returned["tool_return"], "echo: quick");
        began.elapsed()
    };
    let ((status, answer), took) = tokio::join!(stuck, meanwhile);
    assert!(took < Duration::from_millis(900), "{took:?}: it waited for the other's server");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.to_string().contains("did not answer within 1 s (call)"), "{answer}");

    // At the handshake and at the list.
    for (method, phase) in [("initialize", "handshake"), ("tools/list", "list of tools")] {
        bad.behave(method, Some(Behaviour::Silent));
        let began = Instant::now();
        let (status, refusal) = server.post("/v1/tools/mcp/servers/test", &remote("bad", &bad)).await;
        assert_eq!((status, &refusal["detail"]["code"]), (408, &json!("MCPTimeoutError")), "{refusal}");
        assert!(refusal["detail"]["message"].as_str().unwrap().contains(phase), "{refusal}");
        assert!(began.elapsed() < Duration::from_secs(8));
        bad.behave(method, None);
    }
    bad.behave("tools/call", None);
    let returned = called(&server, &provider, &victim, "echo", json!({"text": "again"})).await;
    assert_eq!(returned["tool_return"], "echo: again", "the agent goes on");
}

#[tokio::test]
async fn a_server_is_told_of_calls_whose_answers_nobody_waits_for_any_more() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    // Given up after a second.
    let server = hasty(&provider).await;
    let tools = tools_of(&server, &set_up(&server, remote("s", &peer)).await).await;
    let agent = create_agent(&server, json!({"tool_ids": [tools[0]["id"]]})).await;
    assert_eq!(called(&server, &provider, &agent, "echo", json!({"text": "a"})).await["tool_return"], "echo: a");
    assert!(peer.seen("notifications/cancelled").is_empty(), "what was answered is not taken back");
    peer.behave("tools/call", Some(Behaviour::Silent));
    let returned = called(&server, &provider, &agent, "echo", json!({"text": "b"})).await;
    assert!(returned["tool_return"].as_str().unwrap().contains("did not answer within 1 s (call)"), "{returned}");
    let told = peer.wait_for("notifications/cancelled", 1).await;
    assert_eq!(told[0].params["requestId"], peer.seen("tools/call")[1].id, "{told:?}");

    // A turn that is cancelled.
    let patient = Server::start(&provider).await;
    let tools = tools_of(&patient, &set_up(&patient, remote("s", &peer)).await).await;
    let agent = create_agent(&patient, json!({"tool_ids": [tools[0]["id"]]})).await;
    provider.reply(Reply::tool_call("echo", json!({"text": "c"})));
    let body = json!({"messages": [{"role": "user", "content": "go"}]});
    let (status, run) = patient.post(&format!("/v1/agents/{agent}/messages/async"), &body).await;
    assert_eq!(status, 200, "{run}");
    let calls = peer.wait_for("tools/call", 3).await;
    let (status, ended) = patient.post(&format!("/v1/agents/{agent}/messages/cancel"), &json!({})).await;
    assert_eq!((status, &ended[run["id"].as_str().unwrap()]), (200, &json!("cancelled")), "{ended}");
    let told = peer.wait_for("notifications/cancelled", 2).await;
    assert_eq!(told[1].params["requestId"], calls[2].id, "{told:?}");
    assert_eq!(told.len(), 2);

    // The connection is as good as before.
    peer.behave("tools/call", None);
    assert_eq!(called(&patient, &provider, &agent, "echo", json!({"text": "d"})).await["tool_return"], "echo: d");
}

#[tokio::test]
async fn answers_that_make_no_sense_or_never_end_are_refused_in_words() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    let mut server = hasty(&provider).await;
    let before = memory(&server);
    let json_type = "application/json";
    for (method, behaviour, part) in [
        ("tools/list", Behaviour::Flood(100 << 20), "more than 8 MiB"),
        ("initialize", Behaviour::Flood(100 << 20), "more than 8 MiB"),
        ("tools/list", Behaviour::Raw(200, "text/html", "<html>Welcome</html>".into()), "text/html"),
        ("tools/list", Behaviour::Raw(200, json_type, "{garbage".into()), "makes no sense"),
        ("initialize", Behaviour::Raw(500, "text/plain", "boom".into()), "500"),
        ("initialize", Behaviour::Raw(404, "text/plain", "nothing here".into()), "404"),
        ("initialize", Behaviour::Raw(401, "text/plain", String::new()), "authorization"),
    ] {
        peer.behave(method, Some(behaviour.clone()));
        let (status, refusal) = server.post("/v1/tools/mcp/servers/test", &remote("s", &peer)).await;
        assert!((400..500).contains(&status), "{behaviour:?}: {status} {refusal}");
        let message = refusal["detail"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "{method} {part}: {message}");
        assert!(message.len() < 3_000);
        peer.behave(method, None);
    }
    let grown = memory(&server).saturating_sub(before);
    assert!(grown < 150 << 20, "{} MiB more", grown >> 20);
    assert!(server.is_alive());
    assert_eq!(server.post("/v1/tools/mcp/servers/test", &remote("s", &peer)).await.0, 200);
}

/// The server's memory in bytes.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn no_address_inside_is_reached_by_name_redirect_or_metadata() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    let canary = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inside = format!("http://127.0.0.1:{}/mcp", canary.local_addr().unwrap().port());
    // Whoever has the password is not whoever owns the machine.
    let closed = Server::builder().provider(&provider).password("pw").start().await;
    let ask = async |server: &Server, url: &str| {
        let body = json!({"server_name": "s", "type": "streamable_http", "server_url": url});
        let request = server.http().post(format!("{}/v1/tools/mcp/servers/test", server.url())).bearer_auth("pw");
        let response = request.json(&body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    let port = canary.local_addr().unwrap().port();
    for host in ["127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "localhost", "user@127.0.0.1"] {
        let (status, refusal) = ask(&closed, &format!("http://{host}:{port}/mcp")).await;
        assert!(status == 403 && refusal.contains("not public"), "{host}: {status} {refusal}");
        let sse = json!({"server_name": "s", "type": "sse", "server_url": format!("http://{host}:{port}/sse")});
        let request = closed.http().post(format!("{}/v1/tools/mcp/servers/test", closed.url())).bearer_auth("pw");
        assert_eq!(request.json(&sse).send().await.unwrap().status().as_u16(), 403, "{host}");
    }
    let (status, refusal) = ask(&closed, "http://169.254.169.254/latest/meta-data").await;
    assert!(status == 403 && refusal.contains("not public"), "{refusal}");

    // An open server may ask its own machine, and even there nothing is followed to the metadata service.
    let open = hasty(&provider).await;
    peer.behave("initialize", Some(Behaviour::Redirect(inside.clone())));
    let (status, refusal) = ask(&open, &peer.url()).await;
    assert!((400..500).contains(&status), "{status} {refusal}");
    peer.behave("initialize", None);
    peer.ask_for_permission(60);
    peer.point_elsewhere("http://169.254.169.254/.well-known/oauth-protected-resource");
    let body = json!({"server_name": "s", "type": "streamable_http", "server_url": peer.url()});
    let stream = open.http().post(format!("{}/v1/tools/mcp/servers/connect", open.url())).json(&body);
    let deadline = Duration::from_secs(30);
    let text = tokio::time::timeout(deadline, read_until(stream, "event\": \"authorization_url")).await.unwrap();
    assert!(text.contains("oauth_required"), "{text}");
    let arrived = tokio::time::timeout(Duration::from_millis(50), canary.accept()).await;
    assert!(arrived.is_err(), "somebody was sent inside");
}

/// Reads a stream of events until a text is in it, or it ends.
pub async fn read_until(request: reqwest::RequestBuilder, part: &str) -> String {
    let mut response = request.send().await.unwrap();
    let mut text = String::new();
    while let Some(chunk) = response.chunk().await.unwrap() {
        text.push_str(&String::from_utf8_lossy(&chunk));
        if text.replace("\":\"", "\": \"").contains(part) {
            break;
        }
    }
    text
}
