//! A table of error bodies as providers send them.

use super::*;

fn sort(status: u16, body: &str) -> (&'static str, String) {
    let error = Upstream::from_body(status, body.as_bytes()).into_error("m", &Redactor::none());
    assert_eq!(error.status(), Some(status), "{body}");
    (error.kind(), error.to_string())
}

#[test]
fn bodies_of_every_provider_are_sorted() {
    for (status, body, kind, message) in [
        (400, r#"{"error":{"message":"bad","type":"invalid_request_error"}}"#, "bad_request", "bad"),
        (400, r#"{"error":{"message":"no room","code":"context_length_exceeded"}}"#, "context_overflow", "no room"),
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}"#,
            "context_overflow",
            "This model's maximum context length is 4096 tokens.",
        ),
        (
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#,
            "context_overflow",
            "prompt is too long: 9 tokens > 8 maximum",
        ),
        (
            400,
            r#"[{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}]"#,
            "context_overflow",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
            "context_overflow",
            "the request exceeds the available context size",
        ),
        (413, r#"{"error":{"type":"request_too_large","message":"big"}}"#, "context_overflow", "big"),
        (
            400,
            r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}"#,
            "authentication",
            "API key not valid. Please pass a valid API key.",
        ),
        (401, r#"{"error":{"message":"wrong key","code":"invalid_api_key"}}"#, "authentication", "wrong key"),
        (403, r#"{"message":"forbidden"}"#, "authentication", "forbidden"),
        (
            404,
            r#"{"error":"model \"x\" not found, try pulling it first"}"#,
            "not_found",
            "model \"x\" not found, try pulling it first",
        ),
        (400, r#"{"error":{"message":"no model","code":"model_not_found"}}"#, "not_found", "no model"),
        (
            422,
            r#"{"detail":[{"loc":["body"],"msg":"field required"},{"msg":"too short"}]}"#,
            "bad_request",
            "field required; too short",
        ),
        (400, r#"{"error":{"message":"flagged","code":"content_filter"}}"#, "content_policy", "flagged"),
        (429, r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#, "rate_limit", "slow down"),
        (500, r#"{"error":{"message":"oops","type":"server_error"}}"#, "server", "oops"),
        (
            529,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            "overloaded",
            "Overloaded",
        ),
        (503, "", "overloaded", "the provider answered with status 503"),
        (502, "<html><body><h1>502</h1>\n Bad   Gateway</body></html>", "server", "502 Bad Gateway"),
        (
            400,
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"tools unsupported"}}}"#,
            "bad_request",
            "Provider returned error: tools unsupported",
        ),
    ] {
        assert_eq!(sort(status, body), (kind, message.to_owned()), "{body}");
    }
}

#[test]
fn a_prompt_that_is_too_long_is_known_by_everybodys_words() {
    for (status, words) in [
        (400, "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."),
        (400, "Your input exceeds the context window of this model. Please adjust your input and try again."),
        (400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length"),
        (400, "Input is too long for requested model."),
        (400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
        (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
        (400, "This model's maximum prompt length is 131072 but the request contains 537812 tokens."),
        (400, "prompt too long; exceeded max context length by 5 tokens"),
        (400, "The number of tokens to keep from the initial prompt is greater than the context length."),
        (400, "Invalid request: Your request exceeded model token limit: 8192"),
        (400, "prompt token count of 70000 exceeds the limit of 64000"),
        (400, "Prompt exceeds max length"),
        (
            422,
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens",
        ),
        (422, "Input validation error: `inputs` must have less than 4095 tokens. Given: 5000"),
        (500, "the input length exceeds the context length"),
    ] {
        let body = serde_json::json!({"error": {"message": words, "type": "invalid_request_error"}});
        assert_eq!(sort(status, &body.to_string()).0, "context_overflow", "{words}");
    }
    for words in ["max_tokens must be positive", "the prompt has no tokens", "unknown context"] {
        let body = serde_json::json!({"error": {"message": words}});
        assert_eq!(sort(400, &body.to_string()).0, "bad_request", "{words}");
    }
}

#[test]
fn an_error_inside_a_stream_gets_a_status_from_its_codes() {
    for (body, status, kind) in [
        (r#"{"error":{"type":"overloaded_error","message":"o"}}"#, 529, "overloaded"),
        (r#"{"error":{"code":"rate_limit_exceeded","message":"r"}}"#, 429, "rate_limit"),
        (r#"{"error":{"code":502,"message":"p"}}"#, 502, "server"),
        (r#"{"error":{"message":"?"}}"#, 500, "server"),
        (r#"{"error":{"code":"context_length_exceeded","message":"c"}}"#, 400, "context_overflow"),
    ] {
        let value = serde_json::from_str(body).expect("json");
        let error = Upstream::from_value(None, &value).into_error("m", &Redactor::none());
        assert_eq!((error.status(), error.kind()), (Some(status), kind), "{body}");
    }
}

#[test]
fn google_tells_how_long_to_wait_in_the_body() {
    let body = br#"{"error":{"code":429,"message":"quota","details":[{"@type":"x"},{"retryDelay":"3.5s"}]}}"#;
    let error = Upstream::from_body(429, body).into_error("m", &Redactor::none());
    assert_eq!(error.retry_after(), Some(Duration::from_millis(3500)));
}
