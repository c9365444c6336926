//! The quickstarts of `examples/`, and walks through the official SDKs, against the real server.
//!
//! Each script checks what it sees and exits with an error at the first surprise; here its output is read as well,
//! and what the server asked of the model.

use std::process::Command;

use mneme_tests::{Postgres, Provider, Reply, Server, sdk};
use serde_json::json;

const ANSWER: &str = "Your name is Ada and you like green tea – wonderful!";

/// A model that introduces itself, edits the memory when told to, and then knows.
async fn story() -> Provider {
    let provider = Provider::start().await;
    let insert = json!({"label": "human", "new_str": "The user's name is Ada. She likes green tea."});
    provider
        .reply(Reply::text("I am Mo, nice to meet you."))
        .reply(Reply::tool_call("memory_insert", insert))
        .reply(Reply::text("I will remember that, Ada."))
        .reply(Reply::text(ANSWER));
    provider
}

async fn run(mut script: Command, server: &Server) -> String {
    script
        .env("MNEME_BASE_URL", server.url())
        .env("MNEME_MODEL", "openai/gpt-4o-mini")
        .env("MNEME_EMBEDDING", "openai/text-embedding-3-small")
        .env_remove("LETTA_API_KEY")
        .env_remove("LETTA_BASE_URL");
    let output = tokio::task::spawn_blocking(move || script.output()).await.expect("the script is waited for");
    let output = output.expect("the script runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}:\n{text}\n--- the server's log:\n{}", output.status, server.log());
    text
}

async fn tell(script: Command, server: Server, provider: Provider) {
    let text = run(script, &server).await;
    assert!(text.contains("    says: I am Mo, nice to meet you."), "{text}");
    assert!(text.contains("calls memory_insert("), "{text}");
    assert!(text.contains("She likes green tea."), "{text}");
    assert!(text.replace('|', "").contains(ANSWER), "{text}");
    assert!(text.ends_with("Everything was as expected.\n"), "{text}");
    assert_eq!(provider.unused_replies(), 0);
    let last = provider.chats().pop().expect("the model was asked");
    assert!(last.system_prompt().contains("She likes green tea."), "the last prompt carries the edited block");
}

#[tokio::test]
async fn python_0x() {
    let provider = story().await;
    let server = Server::start(&provider).await;
    tell(sdk::python("quickstart_0x.py", "requirements-0x.txt"), server, provider).await;
}

#[tokio::test]
async fn python_1x() {
    let provider = story().await;
    let server = Server::start(&provider).await;
    tell(sdk::python("quickstart_1x.py", "requirements-1x.txt"), server, provider).await;
}

#[tokio::test]
async fn typescript_0x() {
    let provider = story().await;
    let server = Server::start(&provider).await;
    tell(sdk::typescript("quickstart-0x.ts"), server, provider).await;
}

#[tokio::test]
async fn typescript_1x() {
    let provider = story().await;
    let server = Server::start(&provider).await;
    tell(sdk::typescript("quickstart-1x.ts"), server, provider).await;
}

#[tokio::test]
async fn vercel_ai_sdk() {
    let provider = Provider::start().await;
    let insert = json!({"label": "human", "new_str": "The user's name is Ada."});
    provider
        .reply(Reply::text("Nice to meet you, Ada."))
        .reply(Reply::tool_call("memory_insert", insert))
        .reply(Reply::text("Noted: you are Ada."));
    let server = Server::start(&provider).await;
    let text = run(sdk::typescript("vercel-ai-sdk.ts"), &server).await;
    assert!(text.contains("generated: Nice to meet you, Ada."), "{text}");
    assert!(text.contains("called: memory_insert") && text.contains("streamed: Noted: you are Ada."), "{text}");
    assert!(text.ends_with("Everything was as expected.\n"), "{text}");
}

#[tokio::test]
async fn python_1x_on_postgres() {
    let provider = story().await;
    let url = Postgres::shared().create_database();
    let server = Server::builder().provider(&provider).database_url(&url).start().await;
    tell(sdk::python("quickstart_1x.py", "requirements-1x.txt"), server, provider).await;
}

#[tokio::test]
async fn a_password_is_sent_as_the_token() {
    let provider = story().await;
    let server = Server::builder().provider(&provider).password("open sesame").start().await;
    let (status, _) = server.get("/v1/agents/").await;
    assert_eq!(status, 401, "without the password the door is closed");
    let mut script = sdk::python("quickstart_1x.py", "requirements-1x.txt");
    script.env("MNEME_TOKEN", "open sesame");
    tell(script, server, provider).await;
}

#[tokio::test]
async fn templates_and_tokens() {
    let provider = Provider::start().await;
    provider.reply(Reply::text("Chamomile."));
    let server = Server::start(&provider).await;
    let text = run(sdk::python("templates_and_tokens_1x.py", "requirements-1x.txt"), &server).await;
    assert!(text.contains("With Ada's token: Chamomile."), "{text}");
    assert!(text.ends_with("Everything was as expected.\n"), "{text}");
    let asked = provider.chats().pop().expect("the model was asked");
    assert!(asked.system_prompt().contains("The customer is called Ada."), "her agent began with her name");
    assert_eq!(provider.unused_replies(), 0);
}

/// A model that rolls when it is told to, and else repeats what it hears.
async fn roller() -> Provider {
    let provider = Provider::start().await;
    provider.script(|asked| {
        let told = asked.messages().last()?["role"] == "user" && asked.last_user_text().contains("CALL roll");
        told.then(|| Reply::tool_call("roll", json!({"sides": 6})))
    });
    provider
}

async fn walk(script: Command, server: Server) {
    let text = run(script, &server).await;
    assert!(text.contains("Everything was as expected.\n"), "{text}");
}

#[tokio::test]
async fn a_walk_through_python_1x() {
    let provider = roller().await;
    let server = Server::start(&provider).await;
    walk(sdk::python_client("current.py", "requirements-1x.txt"), server).await;
}

#[tokio::test]
async fn a_walk_through_python_1x_on_postgres() {
    let provider = roller().await;
    let url = Postgres::shared().create_database();
    let server = Server::builder().provider(&provider).database_url(&url).start().await;
    walk(sdk::python_client("current.py", "requirements-1x.txt"), server).await;
}

#[tokio::test]
async fn a_walk_through_typescript_1x() {
    let provider = roller().await;
    let server = Server::start(&provider).await;
    walk(sdk::typescript_client("current.ts"), server).await;
}

#[tokio::test]
async fn a_walk_through_typescript_0x() {
    let provider = roller().await;
    let server = Server::start(&provider).await;
    walk(sdk::typescript_client("classic.ts"), server).await;
}
