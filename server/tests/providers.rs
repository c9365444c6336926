//! The routes of providers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::TestApp;
use serde_json::{Value, json};

const NOBODY: &str = "provider-00000000-0000-4000-8000-000000000000";

#[tokio::test]
async fn a_provider_is_added_changed_and_deleted_and_its_key_is_never_shown() {
    let app = TestApp::new().await;
    let body = json!({
        "name": "mine", "provider_type": "bedrock", "api_key": "canary-secret", "access_key": "canary-id",
        "region": "eu-west-1",
    });
    let made = app.post("/v1/providers/", &body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/providers/{id}");
    let changed = app.patch(&path, &json!({"api_key": "canary-other", "region": "us-east-1"})).await;
    assert_eq!(changed.json()["region"], "us-east-1");
    let listed = app.get("/v1/providers/?provider_type=bedrock").await;
    let found = app.get(&path).await;
    assert_eq!(listed.json(), json!([found.json()]));
    let expected = json!({"name": "mine", "provider_type": "bedrock", "provider_category": "byok", "api_key": null,
        "access_key": null, "base_url": null, "region": "us-east-1", "api_version": null});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&found.json()[key], value, "{key}");
    }
    for answer in [&made, &changed, &listed, &found] {
        assert!(!answer.text.contains("canary"), "{}", answer.text);
    }
    let gone = app.delete(&path).await;
    assert_eq!(gone.json(), json!({"message": format!("Provider id={id} successfully deleted")}));
    assert_eq!(app.get(&path).await.status, 404);
    assert_eq!(app.delete(&path).await.status, 404);
    assert_eq!(app.get("/v1/providers/?name=mine").await.json(), json!([]));
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let app = TestApp::new().await;
    let refused = |body: Value| {
        let app = &app;
        async move {
            let answer = app.post("/v1/providers/", &body).await;
            assert_eq!(answer.status, 422, "{}", answer.text);
            answer.json()["detail"].as_str().unwrap().to_owned()
        }
    };
    let kind = refused(json!({"name": "z", "provider_type": "zzz", "api_key": "x"})).await;
    assert!(kind.contains("'provider_type'") && kind.contains("hugging-face"), "{kind}");
    let azure = refused(json!({"name": "z", "provider_type": "azure", "api_key": "x"})).await;
    assert!(azure.contains("base_url"), "{azure}");
    let local = refused(json!({"name": "z", "provider_type": "openai", "api_key": "x", "base_url": "http://[::1]/"}));
    assert!(local.await.contains("not public"));
    let key = refused(json!({"name": "z", "provider_type": "openai", "api_key": "a\nb"})).await;
    assert!(key.contains("header") && !key.contains("a\nb"), "{key}");
    assert_eq!(app.patch(&format!("/v1/providers/{NOBODY}"), &json!({"api_key": "k"})).await.status, 404);
    assert_eq!(app.patch(&format!("/v1/providers/{NOBODY}"), &json!({"region": "x"})).await.status, 422);
    assert_eq!(app.post(&format!("/v1/providers/{NOBODY}/check"), &json!({})).await.status, 404);
    assert_eq!(app.get("/v1/providers/mine").await.status, 422);
}
