//! Batches: what goes to the provider, and what comes back.

use mneme_llm::{BatchCall, BatchPlace, LlmError, ProviderKind};
use serde_json::json;

use crate::{
    client, provider, say,
    server::{Answer, Server},
};

fn calls(kind: ProviderKind, model: &str) -> Vec<BatchCall> {
    let provider = provider(kind, "http://127.0.0.1:9");
    let body = |text: &str| client().batch_body(&provider, &say(model, text));
    vec![
        BatchCall { id: "run-1_0_0".into(), body: body("first") },
        BatchCall { id: "run-2_0_0".into(), body: body("second") },
    ]
}

#[tokio::test]
async fn anthropic_takes_all_calls_in_one_request_and_gives_each_its_answer() {
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-20250514",
        "content": [{"type": "text", "text": "one"}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 1}});
    let too_long = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"}});
    let lines = [
        json!({"custom_id": "run-2_0_0", "result": {"type": "errored", "error": too_long}}),
        json!({"custom_id": "run-1_0_0", "result": {"type": "succeeded", "message": message}}),
        json!({"custom_id": "run-3_0_0", "result": {"type": "expired"}}),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let half = text.len() / 2;
    let server = Server::start(vec![
        Answer::json(200, &json!({"id": "msgbatch_1", "processing_status": "in_progress"})),
        Answer::json(200, &json!({"id": "msgbatch_1", "processing_status": "in_progress"})),
        Answer::json(
            200,
            &json!({"id": "msgbatch_1", "processing_status": "ended", "results_url": "http://169.254.169.254/"}),
        ),
        Answer::new(200, "application/x-jsonl", "", &text[..half])
            .after(std::time::Duration::from_millis(20), &text[half..]),
        Answer::json(200, &json!({"id": "msgbatch_1", "processing_status": "canceling"})),
    ])
    .await;
    let client = client();
    let provider = provider(ProviderKind::Anthropic, &server.url);
    let place = client.batch_place(&provider, "claude-sonnet-4-20250514").unwrap();
    assert_eq!(place, BatchPlace::Anthropic);
    let calls = calls(ProviderKind::Anthropic, "claude-sonnet-4-20250514");
    let id = client.submit_batch(&provider, &place, "upload-1", &calls).await.unwrap();
    assert_eq!(id, "msgbatch_1");
    assert!(!client.batch_progress(&provider, &id).await.unwrap().ended);
    let progress = client.batch_progress(&provider, &id).await.unwrap();
    assert!(progress.ended);
    let mut results = client.batch_results(&provider, &id, &progress).await.unwrap();
    let mut found = Vec::new();
    while let Some(result) = results.next().await.unwrap() {
        found.push((result.id, result.outcome));
    }
    assert!(matches!(&found[0].1, Err(LlmError::ContextOverflow { .. })), "{found:?}");
    let answer = found[1].1.as_ref().unwrap();
    assert_eq!((found[1].0.as_str(), answer.text.as_deref()), ("run-1_0_0", Some("one")));
    assert_eq!(answer.usage.unwrap().total_tokens, 4);
    assert!(matches!(&found[2].1, Err(LlmError::Server { status: 504, .. })), "{found:?}");
    client.cancel_batch(&provider, &id).await.unwrap();

    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().map(|seen| seen.line.trim_end_matches(" HTTP/1.1")).collect();
    assert_eq!(
        lines,
        [
            "POST /v1/messages/batches",
            "GET /v1/messages/batches/msgbatch_1",
            "GET /v1/messages/batches/msgbatch_1",
            "GET /v1/messages/batches/msgbatch_1/results",
            "POST /v1/messages/batches/msgbatch_1/cancel"
        ]
    );
    insta::assert_json_snapshot!("anthropic_batch", seen[0].body);
}

#[tokio::test]
async fn openai_takes_a_file_and_keeps_answers_and_errors_in_two() {
    let answer = json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "one"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}});
    let good =
        json!({"id": "b1", "custom_id": "run-1_0_0", "response": {"status_code": 200, "body": answer}, "error": null});
    let refusal =
        json!({"error": {"message": "no such model", "type": "invalid_request_error", "code": "model_not_found"}});
    let bad =
        json!({"id": "b2", "custom_id": "run-2_0_0", "response": {"status_code": 404, "body": refusal}, "error": null});
    let batch = json!({"id": "batch_1", "status": "validating", "metadata": {"mneme_upload": "upload-1"}});
    let ended =
        json!({"id": "batch_1", "status": "completed", "output_file_id": "file-out", "error_file_id": "file-err"});
    let server = Server::start(vec![
        Answer::json(200, &json!({"id": "file-in", "object": "file"})),
        Answer::json(200, &batch),
        Answer::json(200, &json!({"data": [{"id": "batch_0", "metadata": null}, batch]})),
        Answer::json(200, &json!({"data": [batch]})),
        Answer::json(200, &ended),
        Answer::new(200, "application/octet-stream", "", format!("{good}\n")),
        Answer::new(200, "application/octet-stream", "", bad.to_string()),
    ])
    .await;
    let client = client();
    let provider = provider(ProviderKind::OpenAi, &format!("{}/v1", server.url));
    let place = client.batch_place(&provider, "gpt-4o-mini").unwrap();
    let calls = calls(ProviderKind::OpenAi, "gpt-4o-mini");
    let id = client.submit_batch(&provider, &place, "upload-1", &calls).await.unwrap();
    assert_eq!(client.find_batch(&provider, "upload-1").await.unwrap().as_deref(), Some("batch_1"));
    assert_eq!(client.find_batch(&provider, "upload-2").await.unwrap(), None);
    let progress = client.batch_progress(&provider, &id).await.unwrap();
    let mut results = client.batch_results(&provider, &id, &progress).await.unwrap();
    let mut found = std::collections::BTreeMap::new();
    while let Some(result) = results.next().await.unwrap() {
        found.insert(result.id, result.outcome);
    }
    assert_eq!(found["run-1_0_0"].as_ref().unwrap().text.as_deref(), Some("one"));
    assert!(matches!(&found["run-2_0_0"], Err(LlmError::NotFound { .. })), "{found:?}");

    let seen = server.seen();
    let lines: Vec<&str> = seen.iter().map(|seen| seen.line.trim_end_matches(" HTTP/1.1")).collect();
    assert_eq!(lines[..3], ["POST /v1/files", "POST /v1/batches", "GET /v1/batches?limit=100"]);
    assert!(seen[0].headers.contains("content-type: multipart/form-data; boundary="), "{}", seen[0].headers);
    assert_eq!(
        seen[1].body,
        json!({"input_file_id": "file-in", "endpoint": "/v1/chat/completions", "completion_window": "24h",
            "metadata": {"mneme_upload": "upload-1"}})
    );
    let form = seen[0].text.replace("\r\n", "\n");
    insta::assert_snapshot!("openai_batch_file", form);
}

#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_says_why_and_odd_names_go_into_no_path() {
    let failed = json!({"id": "batch_1", "status": "failed", "errors": {"data": [{"message": "line 1 is no JSON"}]}});
    let odd = json!({"id": "../../secrets", "processing_status": "in_progress"});
    let server = Server::start(vec![Answer::json(200, &failed), Answer::json(200, &odd)]).await;
    let openai = provider(ProviderKind::OpenAi, &format!("{}/v1", server.url));
    let progress = client().batch_progress(&openai, "batch_1").await.unwrap();
    assert_eq!((progress.ended, progress.refused.as_deref()), (true, Some("line 1 is no JSON")));
    let anthropic = provider(ProviderKind::Anthropic, &server.url);
    let refused = client().submit_batch(&anthropic, &BatchPlace::Anthropic, "u", &[]).await;
    assert!(matches!(refused, Err(LlmError::Malformed { .. })), "{refused:?}");
    assert_eq!(client().batch_place(&provider(ProviderKind::Ollama, "http://x"), "m"), None);
}
