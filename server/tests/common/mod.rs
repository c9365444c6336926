//! A server in the test's own process: the real routes over a real core with a database of its own.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use http_body_util::BodyExt;
use mneme::{
    app::AppState,
    config::{Config, Secret},
    router::{self, Service},
};
use mneme_core::{Core, CoreConfig, ProviderConfig};
use mneme_domain::Env;
use mneme_llm::{LlmClient, ProviderKind, RetryPolicy, Timeouts};
use mneme_sandbox::{Sandbox, SandboxConfig};
use mneme_store::{MasterKey, Store, StoreConfig};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse";

/// A server.
pub struct TestApp {
    pub service: Service,
    pub core: Arc<Core>,
    _home: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text))
    }

    pub fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl TestApp {
    /// Without a password and without providers.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With a password.
    pub async fn locked() -> Self {
        Self::with(|config| config.password = Some(Secret::new(PASSWORD))).await
    }

    /// With other settings.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::over(change, None).await
    }

    /// With a provider called `openai` at this address.
    pub async fn with_provider(url: &str) -> Self {
        Self::over(|_| {}, Some(url)).await
    }

    async fn over(change: impl FnOnce(&mut Config), provider: Option<&str>) -> Self {
        mneme_llm::install_crypto();
        let home = tempfile::tempdir().unwrap();
        let mut config = Config { data_dir: home.path().to_owned(), ..Config::default() };
        change(&mut config);
        let store = Store::open(&StoreConfig::new(config.database().reveal(), MasterKey::new([7; 32]))).await.unwrap();
        store.migrate().await.unwrap();
        // Compiled tools are shared between tests: compiling them takes longer than most tests.
        let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox-cache");
        let sandbox = Sandbox::new(SandboxConfig { cache_dir: Some(cache), ..SandboxConfig::default() }).unwrap();
        let llm =
            LlmClient::new(Timeouts::default(), RetryPolicy { max_attempts: 1, ..RetryPolicy::default() }).unwrap();
        let providers = provider.map(|url| ProviderConfig {
            name: "openai".into(),
            kind: ProviderKind::OpenAi,
            base_url: url.parse().unwrap(),
            api_key: Some("test".to_owned().into()),
            extras: mneme_llm::Extras::default(),
        });
        let settings = CoreConfig { providers: providers.into_iter().collect(), ..CoreConfig::default() };
        let core = Arc::new(Core::new(settings, store, sandbox, llm, Env::system()).unwrap());
        if provider.is_some() {
            core.start().await.unwrap();
        }
        let service = router::build(AppState::new(Arc::clone(&core), &config));
        Self { service, core, _home: home }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(request(Method::DELETE, path).body(Body::empty()).unwrap()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, body.to_string()).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        let request = request(Method::PATCH, path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Sends a request as a client of the 1.x generation does; null is no body.
    pub async fn as_current(&self, method: Method, path: &str, body: &Value) -> Answer {
        let builder = request(method, path).header("x-stainless-package-version", "1.12.1");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        self.send(builder.header("content-type", "application/json").body(body).unwrap()).await
    }

    /// Posts a text that claims to be JSON.
    pub async fn post_text(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = request(Method::POST, path).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }
}

/// A request to the server under its own name.
pub fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:8283")
}

pub const NOBODY: &str = "agent-00000000-0000-4000-8000-000000000000";
