//! Embeddings in the shapes servers answer them.

use mneme_llm::ProviderKind;
use serde_json::json;

use crate::{
    client, provider,
    server::{Answer, Server},
};

fn texts(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("text {i}")).collect()
}

#[tokio::test]
async fn vectors_come_back_in_the_order_of_the_texts() {
    let answer = json!({"data": [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": "AACAPwAAAAA="}]});
    let server = Server::always(Answer::json(200, &answer)).await;
    let provider = provider(ProviderKind::OpenAi, &server.url);
    let vectors = client().embed(&provider, "text-embedding-3-small", &texts(2), Some(2)).await;
    assert_eq!(vectors, Ok(vec![vec![1.0, 0.0], vec![0.0, 1.0]]));
    let expected = json!({"model": "text-embedding-3-small", "input": ["text 0", "text 1"], "encoding_format": "float", "dimensions": 2});
    assert_eq!(server.seen()[0].body, expected);
}

#[tokio::test]
async fn many_texts_take_several_requests() {
    let batch = |n: usize| Answer::json(200, &json!({"data": vec![json!({"embedding": [1.0]}); n]}));
    let server = Server::start(vec![batch(100), Answer::json(500, &json!({})), batch(50)]).await;
    let vectors = client().embed(&provider(ProviderKind::Ollama, &server.url), "m", &texts(150), None).await;
    assert_eq!(vectors.map(|v| v.len()), Ok(150));
    assert_eq!(server.seen().len(), 3);
    assert_eq!(server.seen()[2].body["input"][0], "text 100");
    assert_eq!(server.seen()[0].line, "POST /v1/embeddings HTTP/1.1");
}

#[tokio::test]
async fn gemini_has_its_own_shape() {
    let answer = json!({"embeddings": [{"values": [0.5]}, {"values": [0.25]}]});
    let server = Server::always(Answer::json(200, &answer)).await;
    let provider = provider(ProviderKind::Gemini, &server.url);
    let vectors = client().embed(&provider, "gemini-embedding-001", &texts(2), Some(1)).await;
    assert_eq!(vectors, Ok(vec![vec![0.5], vec![0.25]]));
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /v1beta/models/gemini-embedding-001:batchEmbedContents HTTP/1.1");
    assert_eq!(
        seen.body["requests"][1],
        json!({"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "text 1"}]}, "outputDimensionality": 1})
    );
}

#[tokio::test]
async fn odd_answers_are_malformed() {
    for answer in [
        json!({"data": []}),
        json!({"data": [{"embedding": ["x"]}]}),
        json!({"data": [{"embedding": "AAA="}]}),
        json!({}),
    ] {
        let server = Server::always(Answer::json(200, &answer)).await;
        let result = client().embed(&provider(ProviderKind::OpenAi, &server.url), "m", &texts(1), None).await;
        assert_eq!(result.expect_err("malformed").kind(), "malformed", "{answer}");
    }
    assert_eq!(client().embed(&provider(ProviderKind::OpenAi, "http://127.0.0.1:9"), "m", &[], None).await, Ok(vec![]));
}
