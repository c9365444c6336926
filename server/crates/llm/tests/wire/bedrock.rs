//! Amazon Bedrock: binary frames, signatures, its two listings, its embeddings.

use mneme_llm::{AwsRole, Delta, Extras, FinishReason, ModelKind, Provider, ProviderKind, Usage};
use serde_json::{Value, json};

use crate::{
    argued, called, client, provider, say, say_with_tool,
    server::{Answer, Server},
    signed, stream_from, text, thought,
};

/// The content type of its streams.
pub const FRAMES: &str = "application/vnd.amazon.eventstream";
const MODEL: &str = "us.anthropic.claude-sonnet-4-20250514-v1:0";

/// An event as AWS packs it.
pub fn frame(kind: &str, payload: &Value) -> Vec<u8> {
    packed(":event-type", "event", kind, payload)
}

fn packed(header: &str, message: &str, kind: &str, payload: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":message-type", message), (header, kind), (":content-type", "application/json")] {
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let mut bytes = ((16 + headers.len() + payload.len()) as u32).to_be_bytes().to_vec();
    bytes.extend((headers.len() as u32).to_be_bytes());
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload.as_bytes());
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn frames(events: &[(&'static str, Value)]) -> Answer {
    Answer::new(200, FRAMES, "", events.iter().flat_map(|(kind, payload)| frame(kind, payload)).collect::<Vec<u8>>())
}

fn block(index: u64, delta: Value) -> (&'static str, Value) {
    ("contentBlockDelta", json!({"contentBlockIndex": index, "delta": delta}))
}

fn closed(index: u64) -> (&'static str, Value) {
    ("contentBlockStop", json!({"contentBlockIndex": index}))
}

#[tokio::test]
async fn a_stream_with_everything() {
    let start = json!({"toolUse": {"toolUseId": "tooluse_1", "name": "f"}});
    let usage = json!({"inputTokens": 10, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 90,
        "cacheWriteInputTokens": 7});
    let server = Server::always(frames(&[
        ("messageStart", json!({"role": "assistant"})),
        block(0, json!({"reasoningContent": {"text": "hm"}})),
        block(0, json!({"reasoningContent": {"signature": "si"}})),
        block(0, json!({"reasoningContent": {"signature": "gn"}})),
        closed(0),
        block(1, json!({"text": "hel"})),
        block(1, json!({"text": "lo"})),
        closed(1),
        ("contentBlockStart", json!({"contentBlockIndex": 2, "start": start})),
        block(2, json!({"toolUse": {"input": "{\"x\":"}})),
        block(2, json!({"toolUse": {"input": "1}"}})),
        closed(2),
        ("messageStop", json!({"stopReason": "tool_use"})),
        ("metadata", json!({"usage": usage, "metrics": {"latencyMs": 1}})),
    ]))
    .await;
    let deltas = stream_from(&provider(ProviderKind::Bedrock, &server.url), &say_with_tool(MODEL, "hi")).await;
    let usage = Usage {
        prompt_tokens: 107,
        completion_tokens: 5,
        total_tokens: 112,
        cached_tokens: Some(90),
        cache_write_tokens: Some(7),
        reasoning_tokens: None,
    };
    let expected = vec![
        thought("hm"),
        signed("", "sign"),
        text("hel"),
        text("lo"),
        called(0, "tooluse_1", "f", ""),
        argued(0, "{\"x\":"),
        argued(0, "1}"),
        Delta::Usage(usage),
        Delta::Finish(FinishReason::ToolCalls),
    ];
    assert_eq!(deltas, Ok(expected));
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /model/us.anthropic.claude-sonnet-4-20250514-v1%3A0/converse-stream HTTP/1.1");
    let credential = "authorization: aws4-hmac-sha256 credential=akidexample/";
    assert!(seen.headers.contains(credential) && seen.headers.contains("/eu-west-1/bedrock/aws4_request"));
    assert!(!seen.headers.contains("sk-test"), "the secret itself never travels");
}

#[tokio::test]
async fn whole_answers_and_their_ends() {
    let answer = |reason: &str| {
        Answer::json(
            200,
            &json!({"output": {"message": {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
                {"text": "hello"},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"x": 1}}},
            ]}}, "stopReason": reason, "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}}),
        )
    };
    for (reason, expected) in [
        ("tool_use", FinishReason::ToolCalls),
        ("end_turn", FinishReason::ToolCalls),
        ("max_tokens", FinishReason::Length),
        ("guardrail_intervened", FinishReason::ContentFilter),
        ("content_filtered", FinishReason::ContentFilter),
        ("refusal", FinishReason::Refusal),
    ] {
        let server = Server::always(answer(reason)).await;
        let bedrock = provider(ProviderKind::Bedrock, &server.url);
        let done = client().complete(&bedrock, &say_with_tool(MODEL, "hi")).await.expect("an answer");
        assert_eq!(done.finish, expected, "{reason}");
        assert_eq!((done.text.as_deref(), done.tool_calls[0].arguments.as_str()), (Some("hello"), "{\"x\":1}"));
        assert_eq!((done.reasoning[0].text.as_str(), done.reasoning[0].signature.as_deref()), ("hm", Some("s")));
        assert!(server.seen()[0].line.ends_with("/converse HTTP/1.1"));
    }
}

#[tokio::test]
async fn failures_have_their_names_in_the_status_and_in_the_stream() {
    let exception = |kind: &str| {
        let bytes = packed(":exception-type", "exception", kind, &json!({"message": "no luck"}));
        Answer::new(200, FRAMES, "", bytes)
    };
    let refused = |status: u16, kind: &str| Answer::json(status, &json!({"__type": kind, "message": "no luck"}));
    for (answer, expected) in [
        (exception("throttlingException"), "rate_limit"),
        (exception("validationException"), "bad_request"),
        (exception("serviceUnavailableException"), "overloaded"),
        (exception("modelStreamErrorException"), "server"),
        (refused(429, "ThrottlingException"), "rate_limit"),
        (refused(403, "AccessDeniedException"), "authentication"),
        (refused(404, "ResourceNotFoundException"), "not_found"),
        (Answer::json(400, &json!({"message": "Input is too long for requested model."})), "context_overflow"),
    ] {
        let server = Server::always(answer).await;
        let error = stream_from(&provider(ProviderKind::Bedrock, &server.url), &say(MODEL, "hi")).await;
        assert_eq!(error.map_err(|error| error.kind()), Err(expected));
    }
}

#[tokio::test]
async fn models_and_profiles_are_listed() {
    let model = |id: &str, output: &str, inference: &str| {
        json!({"modelId": id, "inputModalities": ["TEXT", "IMAGE"], "outputModalities": [output],
            "inferenceTypesSupported": [inference], "modelLifecycle": {"status": "ACTIVE"}})
    };
    let claude = "anthropic.claude-sonnet-4-20250514-v1:0";
    let server = Server::start(vec![
        Answer::json(
            200,
            &json!({"modelSummaries": [
                model("amazon.nova-pro-v1:0", "TEXT", "ON_DEMAND"),
                model("amazon.titan-embed-text-v2:0", "EMBEDDING", "ON_DEMAND"),
                model(claude, "TEXT", "INFERENCE_PROFILE"),
            ]}),
        ),
        Answer::json(
            200,
            &json!({"inferenceProfileSummaries": [{"inferenceProfileId": format!("us.{claude}"), "models": [
                {"modelArn": format!("arn:aws:bedrock:us-east-1::foundation-model/{claude}")}]}]}),
        ),
    ])
    .await;
    let models = client().models(&provider(ProviderKind::Bedrock, &server.url)).await.expect("models");
    let shown: Vec<_> =
        models.iter().map(|m| (m.id.as_str(), m.kind, m.context_window.tokens, m.embedding_dim, m.reasoning)).collect();
    assert_eq!(
        shown,
        [
            ("amazon.nova-pro-v1:0", ModelKind::Chat, 300_000, None, false),
            ("amazon.titan-embed-text-v2:0", ModelKind::Embedding, 8192, Some(1024), false),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", ModelKind::Chat, 200_000, None, true),
        ]
    );
    assert!(models[2].supports_vision == Some(true) && models[2].supports_tools == Some(true));
}

#[tokio::test]
async fn embeddings_of_amazon_and_cohere() {
    let texts = ["a".to_owned(), "b".to_owned()];
    let titan = Server::start(vec![
        Answer::json(200, &json!({"embedding": [1.0, 2.0], "inputTextTokenCount": 1})),
        Answer::json(200, &json!({"embedding": [3.0, 4.0]})),
    ])
    .await;
    let amazon = provider(ProviderKind::Bedrock, &titan.url);
    let vectors = client().embed(&amazon, "amazon.titan-embed-text-v2:0", &texts, Some(2)).await;
    assert_eq!(vectors, Ok(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
    assert_eq!(titan.seen()[1].body, json!({"inputText": "b", "dimensions": 2}));
    let cohere = Server::always(Answer::json(200, &json!({"embeddings": {"float": [[1.0], [2.0]]}}))).await;
    let vectors =
        client().embed(&provider(ProviderKind::Bedrock, &cohere.url), "cohere.embed-v4:0", &texts, None).await;
    assert_eq!(vectors, Ok(vec![vec![1.0], vec![2.0]]));
    assert_eq!(cohere.seen()[0].body["texts"], json!(["a", "b"]));
}

/// Longer than a client keeps anything.
const LATER: &str = "2099-01-01T00:00:00Z";
/// Over, so that it is not kept.
const OVER: &str = "2020-01-01T00:00:00Z";

fn hello() -> Answer {
    Answer::json(
        200,
        &json!({"output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}}, "stopReason": "end_turn",
            "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}}),
    )
}

fn credentials(id: &str, end: &str) -> Answer {
    Answer::json(
        200,
        &json!({"Code": "Success", "AccessKeyId": id, "SecretAccessKey": "canary", "Token": format!("token-of-{id}"),
            "Expiration": end}),
    )
}

fn words(text: &str) -> Answer {
    Answer::new(200, "text/plain", "", text)
}

fn of_the_machine(server: &Server, role: AwsRole) -> Provider {
    let extras = Extras { region: Some("eu-west-1".into()), role: Some(role), ..Extras::default() };
    Provider::new("bedrock", ProviderKind::Bedrock, server.url.parse().expect("url"), None).with(extras)
}

fn instance(server: &Server) -> Provider {
    of_the_machine(server, AwsRole::Instance { endpoint: server.url.parse().expect("url") })
}

#[tokio::test]
async fn a_container_is_asked_once_for_credentials_that_last() {
    let server = Server::start(vec![credentials("AKIDONE", LATER), hello(), hello()]).await;
    let url = format!("{}/v2/credentials?id=1", server.url).parse().expect("url");
    let token = Some("container-token".to_owned().into());
    let provider = of_the_machine(&server, AwsRole::Container { url, token, token_file: None });
    let client = client();
    for _ in 0..2 {
        let done = client.complete(&provider, &say(MODEL, "hi")).await.expect("an answer");
        assert_eq!(done.text.as_deref(), Some("hello"));
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert_eq!(seen[0].line, "GET /v2/credentials?id=1 HTTP/1.1");
    assert!(seen[0].headers.contains("authorization: container-token"), "{}", seen[0].headers);
    for call in &seen[1..] {
        assert!(call.line.ends_with("/converse HTTP/1.1"), "{}", call.line);
        assert!(call.headers.contains("credential=akidone/"), "{}", call.headers);
        assert!(call.headers.contains("x-amz-security-token: token-of-akidone"), "{}", call.headers);
        assert!(!call.headers.contains("canary"));
    }
}

#[tokio::test]
async fn an_instance_is_asked_in_a_session_and_again_when_its_credentials_end() {
    let mut answers = Vec::new();
    for (session, id, end) in [("session-1", "AKIDONE", OVER), ("session-2", "AKIDTWO", LATER)] {
        answers.extend([words(session), words("a-role\n"), credentials(id, end), hello()]);
    }
    answers.push(hello());
    let server = Server::start(answers).await;
    let (provider, client) = (instance(&server), client());
    for _ in 0..3 {
        client.complete(&provider, &say(MODEL, "hi")).await.expect("an answer");
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 9, "what lasts is kept");
    assert_eq!(seen[0].line, "PUT /latest/api/token HTTP/1.1");
    assert!(seen[0].headers.contains("x-aws-ec2-metadata-token-ttl-seconds: "), "{}", seen[0].headers);
    assert_eq!(seen[1].line, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1");
    assert_eq!(seen[2].line, "GET /latest/meta-data/iam/security-credentials/a-role HTTP/1.1");
    for (at, session) in [(1, "session-1"), (2, "session-1"), (5, "session-2"), (6, "session-2")] {
        let expected = format!("x-aws-ec2-metadata-token: {session}");
        assert!(seen[at].headers.contains(&expected), "{}", seen[at].headers);
    }
    for (at, id) in [(3, "akidone"), (7, "akidtwo"), (8, "akidtwo")] {
        assert!(seen[at].headers.contains(&format!("credential={id}/")), "{}", seen[at].headers);
    }
}

#[tokio::test]
async fn a_machine_without_credentials_says_so_and_a_tenant_never_gets_them() {
    let server = Server::start(vec![words("session"), Answer::new(404, "text/plain", "", "no role")]).await;
    let error = client().complete(&instance(&server), &say(MODEL, "hi")).await.expect_err("refused");
    assert_eq!(error.kind(), "authentication");
    assert!(error.to_string().contains("the machine gives no credentials"), "{error}");
    assert_eq!(server.seen().len(), 2, "it is not tried again");

    let server = Server::always(words("session")).await;
    let error = client().complete(&instance(&server).guarded(), &say(MODEL, "hi")).await.expect_err("refused");
    assert!(matches!(error.kind(), "authentication" | "bad_request"), "{error:?}");
    assert!(server.seen().is_empty(), "nothing was asked");
}
