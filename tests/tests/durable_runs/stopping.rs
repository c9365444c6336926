//! A server that is asked to stop while many streams are open.

use std::time::Duration;

use mneme_tests::{Postgres, Provider, Reply, Server};
use serde_json::json;

use super::{LIMIT, builder, create_agent, ended};

const STREAMS: usize = 50;

async fn fifty_streams_end_well(url: Option<String>) {
    let provider = Provider::start().await;
    // Those with a client are short enough for the server to wait for them; the others are not.
    provider.script(|request| {
        let short = request.last_user_text().contains("short");
        let words = Reply::text("some words that take a while to say").chunk_delay(Duration::from_millis(60));
        Some(if short { words } else { Reply::hang() })
    });
    // Leases do not run out in the time of this test: what another server takes over was given back.
    let start = async |shutdown: &str| {
        let builder = builder(&provider, url.as_deref());
        builder.env("MNEME_RUN_LEASE_SECONDS", "600").env("MNEME_SHUTDOWN_SECONDS", shutdown).start().await
    };
    let mut server = start("3").await;
    let mut streams = Vec::new();
    let mut agents = Vec::new();
    for number in 0..STREAMS {
        let agent = create_agent(&server).await;
        let short = number % 2 == 0;
        let text = if short { "short" } else { "long" };
        let body =
            json!({"messages": [{"role": "user", "content": text}], "stream_tokens": true, "background": !short});
        let request = server.http().post(format!("{}/v1/agents/{agent}/messages/stream", server.url())).json(&body);
        streams.push((short, tokio::spawn(async move { request.send().await.unwrap().text().await })));
        agents.push((short, agent));
    }
    provider.wait_for_chats(STREAMS).await;
    let status = server.terminate(Duration::from_secs(20)).await;
    assert!(status.success(), "{status}\n{}", server.log());
    let (mut whole, mut cut) = (0, 0);
    for (short, stream) in streams {
        let text = tokio::time::timeout(LIMIT, stream).await.unwrap().unwrap();
        if short {
            let text = text.unwrap();
            assert!(text.contains("\"stop_reason\":\"end_turn\"") && text.trim_end().ends_with("[DONE]"), "{text}");
            whole += 1;
        } else {
            assert!(!text.unwrap_or_default().contains("end_turn"));
            cut += 1;
        }
    }
    // Whoever serves next goes on with those that have no client.
    provider.script(|_| Some(Reply::text("done after all")));
    let next: Server = match &url {
        None => {
            server.restart().await;
            server
        }
        Some(_) => {
            let hex: String = std::fs::read(server.data_dir().join("master.key"))
                .unwrap()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let builder = builder(&provider, url.as_deref()).env("MNEME_MASTER_KEY", &hex);
            builder.env("MNEME_RUN_LEASE_SECONDS", "600").start().await
        }
    };
    let mut gone_on = 0;
    for (short, agent) in &agents {
        let run = ended(&next, agent).await;
        assert_eq!((&run["status"], &run["stop_reason"]), (&json!("completed"), &json!("end_turn")), "{}", next.log());
        if !short {
            let id = run["id"].as_str().unwrap();
            let (_, messages) = next.get(&format!("/v1/runs/{id}/messages")).await;
            assert!(messages.to_string().contains("done after all"), "{messages}");
            gone_on += 1;
        }
    }
    println!(
        "streams that ended before the stop: {whole}, runs that went on after it: {gone_on}, lost: {}",
        cut - gone_on
    );
    assert_eq!((whole, gone_on), (STREAMS / 2, STREAMS / 2));
}

#[tokio::test]
async fn a_stop_with_fifty_streams_open_loses_none_on_sqlite() {
    fifty_streams_end_well(None).await;
}

#[tokio::test]
async fn a_stop_with_fifty_streams_open_loses_none_on_postgres() {
    fifty_streams_end_well(Some(Postgres::shared().create_database())).await;
}
