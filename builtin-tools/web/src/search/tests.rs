//! What goes out to each service for the same question, and what comes back.

use mneme_tool_sdk::http::Response;
use mneme_tool_sdk::mock::MockHost;
use mneme_tool_sdk::{Tool, ToolError};
use serde_json::{Value, json};

use super::*;

const EXA: &str = "https://api.exa.ai/search";
const TAVILY: &str = "https://api.tavily.com/search";
const SEARXNG: &str = "http://searx.example/search";
/// 2025-03-01.
const NOW: i64 = 1_740_787_200_000;

fn search(host: &MockHost, arguments: Value) -> Value {
    let answer = host.call::<web_search>(arguments).expect("an answer");
    serde_json::from_str(&answer).expect("JSON")
}

fn everything() -> Value {
    json!({
        "query": "lighthouses", "num_results": 2, "category": "github", "include_text": true,
        "exclude_domains": ["https://spam.example/x"], "start_published_date": "2025-02-20",
        "end_published_date": "2025-02-28T10:00:00Z", "user_location": "us",
    })
}

#[test]
fn exa_is_asked_first() {
    let page = json!({
        "id": "1", "url": "https://a.example/", "title": "A", "publishedDate": "2025-02-21T00:00:00.000Z",
        "author": "Ada", "score": 0.5, "text": "All of it", "highlights": ["some"], "summary": "short",
    });
    let host = MockHost::new().with_env("EXA_API_KEY", "exa-key").with_env("TAVILY_API_KEY", "tavily-key").answering(
        "POST",
        EXA,
        Response::new(200).with_json(&json!({"results": [page, {"title": "no address"}]})),
    );
    let expected = json!({"query": "lighthouses", "results": [{
        "title": "A", "url": "https://a.example/", "published_date": "2025-02-21T00:00:00.000Z", "author": "Ada",
        "highlights": ["some"], "summary": "short", "text": "All of it",
    }]});
    assert_eq!(search(&host, everything()), expected);

    let sent = &host.requests()[0];
    assert_eq!(sent.header("x-api-key"), Some("exa-key"));
    assert_eq!(
        sent.json(),
        json!({
            "query": "lighthouses", "type": "auto", "numResults": 2, "category": "github",
            "excludeDomains": ["spam.example"], "startPublishedDate": "2025-02-20",
            "endPublishedDate": "2025-02-28T10:00:00Z", "userLocation": "US",
            "contents": {
                "text": true,
                "highlights": {"query": "lighthouses", "maxCharacters": 1000},
                "summary": {"query": "What this page says about: lighthouses"},
            },
        })
    );
}

#[test]
fn the_plain_question_has_few_words() {
    let host = MockHost::new()
        .with_env("EXA_API_KEY", "k")
        .with_env("EXA_BASE_URL", "http://proxy.example/")
        .answering("POST", "http://proxy.example/search", Response::new(200).with_json(&json!({"results": []})));
    assert_eq!(search(&host, json!({"query": "x", "category": null})), json!({"query": "x", "results": []}));
    assert_eq!(
        host.requests()[0].json(),
        json!({
            "query": "x", "type": "auto", "numResults": 10,
            "contents": {
                "highlights": {"query": "x", "maxCharacters": 1000},
                "summary": {"query": "What this page says about: x"},
            },
        })
    );
}

#[test]
fn tavily_is_asked_next() {
    let page = json!({"url": "https://a.example/", "title": "A", "content": "some", "score": 1, "raw_content": "all"});
    let host = MockHost::new()
        .with_env("TAVILY_API_KEY", "tavily-key")
        .with_env("SEARXNG_URL", "http://searx.example")
        .answering("POST", TAVILY, Response::new(200).with_json(&json!({"results": [page]})));
    let expected = json!({"query": "lighthouses", "results": [{
        "title": "A", "url": "https://a.example/", "published_date": null, "author": null,
        "highlights": ["some"], "text": "all",
    }]});
    assert_eq!(search(&host, everything()), expected);
    let sent = &host.requests()[0];
    assert_eq!(sent.header("authorization"), Some("Bearer tavily-key"));
    assert_eq!(
        sent.json(),
        json!({
            "query": "lighthouses", "topic": "general", "search_depth": "basic", "max_results": 2,
            "include_raw_content": "markdown", "include_domains": ["github.com"],
            "exclude_domains": ["spam.example"], "start_date": "2025-02-20", "end_date": "2025-02-28",
            "country": "united states",
        })
    );

    search(&host, json!({"query": "x", "category": "news", "num_results": 100, "user_location": "US"}));
    let plain = json!({"query": "x", "topic": "news", "search_depth": "basic", "max_results": 20});
    assert_eq!(host.requests()[1].json(), plain);
}

#[test]
fn a_searxng_of_ones_own_is_asked_last() {
    let page = |number: u32, date: Option<&str>| {
        json!({
            "url": format!("https://a.example/{number}"), "title": "A", "content": "some", "engine": "e",
            "publishedDate": date,
        })
    };
    let first = json!({"query": "q", "results": [page(1, Some("2025-02-25T00:00:00")), page(2, Some("2024-01-01"))]});
    let second = json!({"results": [page(1, None), page(3, None), page(4, None)]});
    let host = MockHost::new()
        .at(NOW)
        .with_env("SEARXNG_URL", "http://searx.example/")
        .answering("GET", SEARXNG, Response::new(200).with_json(&first))
        .answering("GET", SEARXNG, Response::new(200).with_json(&second));
    let answer = search(&host, everything());
    let found: Vec<_> = answer["results"].as_array().expect("a list").iter().map(|found| &found["url"]).collect();
    assert_eq!(found, ["https://a.example/1", "https://a.example/3"]);
    assert_eq!(
        host.requests()[0].url().to_string(),
        "http://searx.example/search?q=lighthouses%20site%3Agithub.com%20-site%3Aspam.example&format=json\
         &categories=general&pageno=1&time_range=month"
    );
    assert_eq!(host.requests().len(), 2);
}

#[test]
fn an_instance_without_json_is_explained() {
    let host =
        MockHost::new().with_env("SEARXNG_URL", "http://searx.example").answering("GET", SEARXNG, Response::new(403));
    let error = host.call::<web_search>(json!({"query": "x"})).expect_err("refused").to_string();
    assert!(error.contains("search.formats"), "{error}");
}

#[test]
fn without_a_service_the_variables_are_named() {
    let error = MockHost::new().with_env("EXA_API_KEY", " ").call::<web_search>(json!({"query": "x"}));
    let error = error.expect_err("no service").to_string();
    for name in ["EXA_API_KEY", "TAVILY_API_KEY", "SEARXNG_URL"] {
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn bad_arguments_are_refused_before_anything_is_sent() {
    let host = MockHost::new().with_env("EXA_API_KEY", "k");
    for (arguments, hint) in [
        (json!({"query": " "}), "`query`"),
        (json!({"query": "x", "num_results": 0}), "between 1 and 100"),
        (json!({"query": "x", "num_results": 101}), "between 1 and 100"),
        (json!({"query": "x", "category": "recipes"}), "\"research paper\""),
        (json!({"query": "x", "include_domains": ["a b"]}), "no domain"),
        (json!({"query": "x", "start_published_date": "last week"}), "`start_published_date`"),
        (json!({"query": "x", "user_location": "Germany"}), "two-letter"),
    ] {
        let error = host.call::<web_search>(arguments).expect_err(hint);
        assert!(matches!(&error, ToolError::InvalidArguments(text) if text.contains(hint)), "{error:?}");
    }
    assert!(host.requests().is_empty());
}

#[test]
fn the_schema_is_the_one_that_clients_know() {
    let spec = web_search::spec();
    let expected = [
        "network",
        "env:EXA_API_KEY",
        "env:EXA_BASE_URL",
        "env:TAVILY_API_KEY",
        "env:TAVILY_BASE_URL",
        "env:SEARXNG_URL",
    ];
    assert_eq!(spec.capabilities, expected);
    let names: Vec<_> = spec.parameters["properties"].as_object().expect("an object").keys().cloned().collect();
    let expected = [
        "query",
        "num_results",
        "category",
        "include_text",
        "include_domains",
        "exclude_domains",
        "start_published_date",
        "end_published_date",
        "user_location",
    ];
    assert_eq!(names, expected);
    assert_eq!(spec.parameters["required"], json!(["query"]));
}
