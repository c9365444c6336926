//! The HTTP client and the environment of a tool, seen through the mock host.

use std::time::Duration;

use mneme_tool_sdk::http::{Request, Response};
use mneme_tool_sdk::mock::MockHost;
use mneme_tool_sdk::{Http, Secret, Tool, ToolError, tool};
use serde::Deserialize;
use serde_json::json;

const API: &str = "https://weather.example/v1/now";

#[derive(Deserialize)]
struct Weather {
    degrees: f64,
}

/// Tells the temperature.
#[tool]
fn temperature(
    http: &Http,
    #[env("WEATHER_KEY")] key: Secret,
    #[env("WEATHER_UNIT")] unit: Option<String>,
    city: String,
) -> Result<String, ToolError> {
    let weather: Weather = http
        .get(API)
        .bearer(&key)
        .query("city", &city)
        .query("unit", unit.as_deref().unwrap_or("C"))
        .send()?
        .ok()?
        .json()?;
    Ok(weather.degrees.to_string())
}

fn host() -> MockHost {
    MockHost::new().with_env("WEATHER_KEY", "k3y")
}

#[test]
fn what_a_tool_reaches_is_declared() {
    let spec = temperature::spec();
    assert_eq!(spec.capabilities, ["network", "env:WEATHER_KEY", "env:WEATHER_UNIT"]);
    assert_eq!(spec.parameters["required"], json!(["city"]));
    assert_eq!(spec.parameters["properties"].as_object().expect("an object").len(), 1);
}

#[test]
fn a_request_goes_out_as_written() {
    let host = host().answering("GET", API, Response::new(200).with_json(&json!({"degrees": -3.5})));
    assert_eq!(host.call::<temperature>(json!({"city": "Tromsø & Bodø"})), Ok("-3.5".to_owned()));
    let requests = host.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(request.method(), "GET");
    assert_eq!(request.url().to_string(), "https://weather.example/v1/now?city=Troms%C3%B8%20%26%20Bod%C3%B8&unit=C");
    assert_eq!(request.header("Authorization"), Some("Bearer k3y"));
    assert!(!format!("{request:?} {:?}", Secret::new("k3y")).contains("k3y"));
}

#[test]
fn a_missing_variable_is_named() {
    for host in [MockHost::new(), MockHost::new().with_env("WEATHER_KEY", "")] {
        let error = host.call::<temperature>(json!({"city": "Oslo"})).expect_err("no key").to_string();
        assert!(error.contains("`WEATHER_KEY` is not set"), "{error}");
        assert!(host.requests().is_empty());
    }
    let host = host().with_env("WEATHER_UNIT", "F").answering(
        "GET",
        &format!("{API}?city=Oslo&unit=F"),
        Response::new(200).with_json(&json!({"degrees": 1})),
    );
    assert_eq!(host.call::<temperature>(json!({"city": "Oslo"})), Ok("1".to_owned()));
}

#[test]
fn answers_that_say_no_and_answers_that_do_not_come() {
    let error = |host: MockHost| host.call::<temperature>(json!({"city": "Oslo"})).expect_err("an error");
    let refused = error(host().answering("GET", API, Response::new(403).with_body("bad\n  key")));
    assert_eq!(refused.to_string(), "GET https://weather.example/v1/now answered with status 403: bad key");
    let odd = error(host().answering("GET", API, Response::new(200).with_body("{}")));
    assert!(odd.to_string().contains("unexpected JSON: missing field `degrees`"), "{odd}");
    let denied = ToolError::Denied("denied: no such host (missing capability: network)".into());
    assert_eq!(error(host().failing("GET", API, denied.clone())), denied);
    assert!(error(host()).to_string().contains("the test has no answer to GET https://weather.example"));
}

/// Sends a thing.
#[tool]
fn send(http: &Http, to: String, method: String, body: Option<String>) -> Result<String, ToolError> {
    let mut request = http.request(&method, &to).header("x-key", "k3y").header("Accept", "text/plain");
    if let Some(body) = body {
        request = request.json(&json!({ "body": body }));
    }
    let answer = request.timeout(Duration::from_secs(2)).max_bytes(4).redirects(2).send()?;
    Ok(format!("{} {} {} {}", answer.status(), answer.url(), answer.text(), answer.is_truncated()))
}

fn moved(to: &str) -> Response {
    Response::new(302).with_header("Location", to)
}

#[test]
fn redirects_are_followed_without_the_keys() {
    let host = MockHost::new()
        .answering("GET", "http://a.example/one", moved("../two"))
        .answering("GET", "http://a.example/two", moved("https://b.example/"))
        .answering("GET", "https://b.example/", Response::new(200).with_body("12345"));
    let answer = host.call::<send>(json!({"to": "http://a.example/one", "method": "GET"}));
    assert_eq!(answer, Ok("200 https://b.example/ 1234 true".to_owned()));
    let keys: Vec<_> = host.requests().iter().map(|request| request.header("x-key").is_some()).collect();
    assert_eq!(keys, [true, true, false]);
    let kept: Vec<_> =
        host.requests().iter().filter_map(|request| request.header("accept").map(str::to_owned)).collect();
    assert_eq!(kept, ["text/plain"; 3]);
}

#[test]
fn redirects_end() {
    let error = |to: &str| {
        let host = MockHost::new().answering("GET", "http://a.example/", moved(to));
        let error = host.call::<send>(json!({"to": "http://a.example/", "method": "GET"})).expect_err(to);
        (error.to_string(), host.requests().len())
    };
    let (text, requests) = error("/");
    assert_eq!((requests, text.as_str()), (3, "GET http://a.example/ was redirected more than 2 times"));
    let (text, requests) = error("file:///etc/passwd");
    assert!(text.contains("cannot be followed: `file:///etc/passwd`"), "{text}");
    assert_eq!(requests, 1);
}

#[test]
fn only_reading_follows_redirects() {
    let host = MockHost::new().answering("POST", "http://a.example/", moved("/elsewhere"));
    let answer = host.call::<send>(json!({"to": "http://a.example/", "method": "POST", "body": "x"}));
    assert_eq!(answer, Ok("302 http://a.example/  false".to_owned()));
    let sent: Vec<Request> = host.requests();
    assert_eq!(sent[0].json(), json!({"body": "x"}));
    assert_eq!(sent[0].header("content-type"), Some("application/json"));
    assert_eq!(sent[0].timeout(), Duration::from_secs(2));
}

#[test]
fn what_cannot_be_sent_is_not_sent() {
    for to in ["a.example", "ftp://a.example/", "http://user@a.example/"] {
        let host = MockHost::new();
        let error = host.call::<send>(json!({"to": to, "method": "GET"})).expect_err(to);
        assert!(matches!(error, ToolError::InvalidArguments(_)), "{error}");
        assert!(host.requests().is_empty());
    }
}

/// Sends a header.
#[tool]
fn header(http: &Http, name: String, value: String) -> Result<(), ToolError> {
    http.get("http://a.example/").header(&name, &value).send()?.ok().map(drop)
}

#[test]
fn headers_hold_one_line() {
    for (name, value) in [("a b", "x"), ("", "x"), ("x", "a\r\nhost: b")] {
        let error = MockHost::new().call::<header>(json!({"name": name, "value": value})).expect_err(name);
        assert!(matches!(error, ToolError::InvalidArguments(_)), "{error}");
    }
}

#[test]
fn scripted_answers_come_in_order() {
    let host = MockHost::new().answering("GET", "http://a.example/", Response::new(503)).answering(
        "GET",
        "http://a.example/",
        Response::new(200),
    );
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(host.call::<header>(json!({"name": "x", "value": "y"})).is_ok());
    }
    assert_eq!(statuses, [false, true, true]);
}
