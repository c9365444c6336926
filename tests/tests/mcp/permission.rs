//! Servers that want a person's permission first (OAuth).

use std::time::Duration;

use mneme_tests::{Postgres, Provider, Server, mcp::McpServer};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{called, create_agent, remote, set_up, tools_of};

/// The events of a connect stream, as they come.
async fn connect(server: &Server, path: &str, body: Option<Value>) -> mpsc::UnboundedReceiver<Value> {
    let url = format!("{}{path}", server.url());
    let request = match &body {
        Some(body) => server.http().post(url).json(body),
        None => server.http().get(url),
    };
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut text = String::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            text.push_str(&String::from_utf8_lossy(&chunk));
            while let Some((event, rest)) = text.split_once("\n\n") {
                let event: Value = serde_json::from_str(event.trim_start_matches("data: ")).unwrap();
                let rest = rest.to_owned();
                let _ = sender.send(event);
                text = rest;
            }
        }
    });
    receiver
}

async fn next(events: &mut mpsc::UnboundedReceiver<Value>, name: &str) -> Value {
    let event = tokio::time::timeout(Duration::from_secs(20), events.recv()).await.unwrap();
    let event = event.unwrap_or_else(|| panic!("the stream ended before {name}"));
    assert_eq!(event["event"], name, "{event}");
    event
}

#[tokio::test]
async fn a_person_gives_it_once_and_tokens_are_renewed_from_then_on() {
    for url in [None, Some(Postgres::shared().create_database())] {
        let (provider, peer) = (Provider::start().await, McpServer::start().await);
        let mut builder = Server::builder().provider(&provider);
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let server = builder.start().await;
        // A token that is old at once: each use needs a renewal.
        peer.ask_for_permission(1);
        let created = set_up(&server, remote("crm", &peer)).await;
        assert_eq!(tools_of(&server, &created).await.len(), 0, "it is set up, and nobody has allowed anything yet");

        let path = format!("/v1/mcp-servers/connect/{}", created["id"].as_str().unwrap());
        let mut events = connect(&server, &path, None).await;
        next(&mut events, "connection_attempt").await;
        next(&mut events, "oauth_required").await;
        let asked = next(&mut events, "authorization_url").await;
        let waiting = next(&mut events, "waiting_for_auth").await;
        assert_eq!(waiting["session_id"], asked["session_id"]);
        let address = asked["url"].as_str().unwrap();
        assert!(address.contains("code_challenge_method=S256") && address.contains("resource="), "{address}");
        let redirect = format!("{}/v1/tools/mcp/oauth/callback", server.url());
        let query: Vec<(String, String)> = reqwest::Url::parse(address).unwrap().query_pairs().into_owned().collect();
        assert!(query.contains(&("redirect_uri".to_owned(), redirect.clone())), "{query:?}");

        // Somebody who was not asked brings a code.
        let forged = server.http().get(format!("{redirect}?code=x&state=forged")).send().await.unwrap();
        assert_eq!(forged.status().as_u16(), 404);
        // The browser of the person, who says yes.
        let page = server.http().get(address).send().await.unwrap();
        let (status, back) = (page.status().as_u16(), page.url().clone());
        let text = page.text().await.unwrap();
        assert!(status == 200 && text.contains("crm is connected"), "{status} {text}");
        let tools = next(&mut events, "success").await["tools"].clone();
        assert_eq!(tools[0]["name"], "echo");
        let replayed = server.http().get(back).send().await.unwrap();
        assert_eq!(replayed.status().as_u16(), 404, "a state is used once");

        let tools = tools_of(&server, &created).await;
        let agent = create_agent(&server, json!({"tool_ids": [tools[0]["id"]]})).await;
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let returned = called(&server, &provider, &agent, "echo", json!({"text": "hi"})).await;
        assert_eq!(returned["tool_return"], "echo: hi", "{returned}");
        let tokens = peer.tokens();
        assert!(tokens.len() > 1, "renewed");
        let used = peer.seen("tools/call")[0].headers["authorization"].clone();
        assert!(tokens[1..].iter().any(|token| used == format!("Bearer {token}")), "{used}");

        let log = server.log();
        assert!(!log.contains("access-canary") && !log.contains("refresh-canary"), "{log}");
        if url.is_none() {
            for file in std::fs::read_dir(server.data_dir()).unwrap().flatten() {
                let bytes = std::fs::read(file.path()).unwrap_or_default();
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains("access-canary") && !text.contains("refresh-canary"), "{:?}", file.path());
            }
        }
    }
}

/// A person gives a server that was set up their permission.
async fn permitted(server: &Server, created: &Value) {
    let path = format!("/v1/mcp-servers/connect/{}", created["id"].as_str().unwrap());
    let mut events = connect(server, &path, None).await;
    next(&mut events, "connection_attempt").await;
    next(&mut events, "oauth_required").await;
    let asked = next(&mut events, "authorization_url").await;
    next(&mut events, "waiting_for_auth").await;
    let page = server.http().get(asked["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(page.status().as_u16(), 200);
    next(&mut events, "success").await;
}

#[tokio::test]
async fn a_token_that_is_refused_before_its_time_is_renewed_and_a_permission_that_ended_is_asked_for_again() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    let server = Server::start(&provider).await;
    peer.ask_for_permission(3_600);
    let created = set_up(&server, remote("crm", &peer)).await;
    permitted(&server, &created).await;
    let tools = tools_of(&server, &created).await;
    let agent = create_agent(&server, json!({"tool_ids": [tools[0]["id"]]})).await;
    assert_eq!(called(&server, &provider, &agent, "echo", json!({"text": "1"})).await["tool_return"], "echo: 1");

    peer.revoke_tokens();
    let returned = called(&server, &provider, &agent, "echo", json!({"text": "2"})).await;
    assert_eq!(returned["tool_return"], "echo: 2", "{returned}");
    let tokens = peer.tokens();
    assert_eq!(tokens.len(), 1, "one renewal");
    let calls = peer.seen("tools/call");
    assert_eq!(calls.len(), 3, "one call was refused and made again");
    assert_eq!(calls[1].params["arguments"], calls[2].params["arguments"]);
    assert_eq!(calls[2].headers["authorization"], format!("Bearer {}", tokens[0]));
    assert_eq!(called(&server, &provider, &agent, "echo", json!({"text": "3"})).await["tool_return"], "echo: 3");
    assert_eq!(peer.tokens(), tokens, "the new one is kept");

    peer.revoke_permissions();
    let returned = called(&server, &provider, &agent, "echo", json!({"text": "4"})).await;
    assert_eq!(returned["status"], "error");
    let text = returned["tool_return"].as_str().unwrap();
    assert!(text.contains("not valid any more") && text.contains("connect the server again"), "{text}");
    assert!(peer.tokens().is_empty());
    permitted(&server, &created).await;
    assert_eq!(called(&server, &provider, &agent, "echo", json!({"text": "5"})).await["tool_return"], "echo: 5");
    assert!(!server.log().contains("canary"), "{}", server.log());
}

#[tokio::test]
async fn a_token_that_outlasts_all_time_is_used_as_it_is() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    let server = Server::start(&provider).await;
    peer.ask_for_permission(i64::MAX.cast_unsigned());
    let created = set_up(&server, remote("crm", &peer)).await;
    permitted(&server, &created).await;
    let tools = tools_of(&server, &created).await;
    let agent = create_agent(&server, json!({"tool_ids": [tools[0]["id"]]})).await;
    let returned = called(&server, &provider, &agent, "echo", json!({"text": "hi"})).await;
    assert_eq!(returned["tool_return"], "echo: hi", "{returned}");
    assert_eq!(peer.tokens().len(), 1, "nothing is renewed");
}

#[tokio::test]
async fn a_person_who_refuses_ends_the_stream_with_the_reason() {
    let (provider, peer) = (Provider::start().await, McpServer::start().await);
    let server = Server::start(&provider).await;
    peer.ask_for_permission(60);
    let mut events = connect(&server, "/v1/tools/mcp/servers/connect", Some(remote("s", &peer))).await;
    next(&mut events, "connection_attempt").await;
    next(&mut events, "oauth_required").await;
    let asked = next(&mut events, "authorization_url").await;
    next(&mut events, "waiting_for_auth").await;
    let address = reqwest::Url::parse(asked["url"].as_str().unwrap()).unwrap();
    let state = address.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let back = format!("{}/v1/tools/mcp/oauth/callback?error=access_denied&state={state}", server.url());
    let page = server.http().get(back).send().await.unwrap();
    assert_eq!(page.status().as_u16(), 400);
    let failed = next(&mut events, "error").await;
    assert!(failed["message"].as_str().unwrap().contains("access_denied"), "{failed}");
}
