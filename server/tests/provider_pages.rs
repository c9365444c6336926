//! The pages of docs/providers: what each says is set up as it says, against a scripted stand-in of the provider.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use axum::{Json, Router, extract::Request};
use mneme::config::{Layer, Source, load};
use mneme_llm::{ChatMessage, ChatRequest, LlmClient, Part, Provider, ProviderKind, RetryPolicy, Timeouts};
use serde_json::{Value, json};

/// What a page says.
struct Page {
    file: String,
    text: String,
}

impl Page {
    /// The code in the row of the table that begins with this.
    fn row(&self, label: &str) -> Vec<&str> {
        let row = self.text.lines().find(|line| line.starts_with(&format!("| {label} |")));
        let row = row.unwrap_or_else(|| panic!("{} has no row '{label}'", self.file));
        row.split('`').skip(1).step_by(2).collect()
    }

    /// The code that stands after a text.
    fn after(&self, text: &str) -> Option<&str> {
        let rest = self.text.split_once(text)?.1;
        rest.split('`').nth(1).filter(|_| rest.starts_with(" `"))
    }

    fn block(&self, language: &str) -> Option<&str> {
        self.text.split_once(&format!("```{language}\n"))?.1.split("```").next()
    }

    /// The variables that the page has one set, with the stand-in's address.
    fn variables(&self, url: &str) -> BTreeMap<String, String> {
        let lines = self.block("sh").unwrap_or_default().lines().filter_map(|line| line.strip_prefix("export "));
        let mut set: BTreeMap<String, String> =
            lines.map(|line| line.split_once('=').unwrap()).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let address = self.row("Another address")[0];
        if address.chars().all(|c| c.is_ascii_uppercase() || c == '_') {
            set.insert(address.to_owned(), url.to_owned());
        }
        // On Google's machines the credentials come from their metadata service.
        set.insert("GCE_METADATA_HOST".to_owned(), url.trim_start_matches("http://").to_owned());
        set
    }
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn pages() -> Vec<Page> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(docs().join("providers")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let page = |path: &PathBuf| Page {
        file: path.file_name().unwrap().to_string_lossy().into_owned(),
        text: fs::read_to_string(path).unwrap(),
    };
    files.iter().map(page).collect()
}

/// Answers as any provider would, with these models.
async fn stand_in(models: Vec<String>) -> String {
    let answer = move |request: Request| {
        let models = models.clone();
        async move { Json(answer(request.uri().path(), &models)) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    url
}

fn answer(path: &str, models: &[String]) -> Value {
    let each = |make: &dyn Fn(&String) -> Value| -> Value { models.iter().map(make).collect() };
    let ends = |end: &str| path.ends_with(end);
    if ends("/token") {
        return json!({"access_token": "t", "expires_in": 100});
    }
    if ends("/chat/completions") {
        return json!({"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]});
    }
    if ends("/messages") || ends(":rawPredict") {
        return json!({"content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn"});
    }
    if ends(":generateContent") {
        return json!({"candidates": [{"content": {"parts": [{"text": "hello"}]}, "finishReason": "STOP"}]});
    }
    if ends("/converse") {
        return json!({"output": {"message": {"content": [{"text": "hello"}]}}, "stopReason": "end_turn"});
    }
    if ends("/embeddings") {
        return json!({"data": [{"index": 0, "embedding": [1.0, 2.0]}]});
    }
    if ends(":batchEmbedContents") {
        return json!({"embeddings": [{"values": [1.0, 2.0]}]});
    }
    if ends(":predict") {
        return json!({"predictions": [{"embeddings": {"values": [1.0, 2.0]}}]});
    }
    if ends("/invoke") {
        return json!({"embedding": [1.0, 2.0]});
    }
    if ends("/api/show") {
        return json!({"capabilities": ["completion", "tools"]});
    }
    if let Some((_, maker)) = path.strip_suffix("/models").and_then(|path| path.rsplit_once("/publishers/")) {
        return json!({"publisherModels": each(&|id| json!({"name": format!("publishers/{maker}/models/{id}")}))});
    }
    if ends("/foundation-models") {
        return json!({"modelSummaries": each(&|id| json!({"modelId": id}))});
    }
    if ends("/inference-profiles") {
        return json!({"inferenceProfileSummaries": []});
    }
    let named = each(&|id| json!({"id": id, "name": id, "model": id}));
    if path.contains("v1beta") || path.contains("/api/") {
        return json!({ "models": named });
    }
    json!({ "data": named })
}

#[tokio::test]
async fn every_page_tells_the_truth() {
    mneme_llm::install_crypto();
    let index = fs::read_to_string(docs().join("PROVIDERS.md")).unwrap();
    let mut kinds = BTreeSet::new();
    for page in pages() {
        let file = &page.file;
        assert!(index.contains(&format!("(providers/{file})")), "{file} is not in PROVIDERS.md");
        let name = page.row("Name in handles")[0].to_owned();
        let model_of = |handle: &str| {
            let model = handle.strip_prefix(&format!("{name}/"));
            model.unwrap_or_else(|| panic!("{file}: {handle} does not begin with {name}")).to_owned()
        };
        let chat = model_of(page.after("A model:").unwrap_or_else(|| panic!("{file} names no model")));
        let chats: Vec<String> =
            [Some(chat), page.after("Another maker's model:").map(model_of)].into_iter().flatten().collect();
        let embedding = page.after("An embedding model:").map(model_of);
        let models: Vec<String> = chats.iter().chain(&embedding).cloned().collect();
        let url = stand_in(models).await;

        let home = tempfile::tempdir().unwrap();
        let settings = page.block("toml").map(|text| {
            let text = text.replace("http://127.0.0.1:9000", &url);
            assert!(text.contains(&url), "{file}: the settings name no address");
            let path = home.path().join("settings.toml");
            fs::write(&path, text).unwrap();
            path
        });
        let variables = page.variables(&url);
        let flags = Layer { data_dir: Some(home.path().to_owned()), ..Layer::default() };
        let config = load(Source { file: settings, env: &|key| variables.get(key).cloned(), flags });
        let config = config.unwrap_or_else(|error| panic!("{file}: {error}"));
        let [entry] = &config.providers[..] else { panic!("{file} sets up {:?}", config.providers) };
        assert_eq!(entry.name, name, "{file}");
        assert_eq!(page.row("`kind` in the settings file")[1], entry.kind.name(), "{file}");
        assert_eq!(page.row("`provider_type` in the API")[1], entry.kind.api_name(), "{file}");
        kinds.insert(entry.kind.name());

        let key = entry.api_key.as_ref().map(|key| key.inner().clone());
        let provider = Provider::new(name.clone(), entry.kind, entry.url().unwrap(), key).with(entry.extras());
        let retry = RetryPolicy { max_attempts: 1, ..RetryPolicy::default() };
        let client = LlmClient::new(Timeouts::default(), retry).unwrap();
        let listed = client.models(&provider).await.unwrap_or_else(|error| panic!("{file}: {error}"));
        for chat in chats {
            assert!(listed.iter().any(|model| model.id == chat), "{file}: {chat} is not among {listed:?}");
            let user = ChatMessage::User { parts: vec![Part::Text("hi".into())], name: None };
            let request = ChatRequest { model: chat, messages: vec![user], ..ChatRequest::default() };
            let said = client.complete(&provider, &request).await.unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(said.text.as_deref(), Some("hello"), "{file}");
        }
        if let Some(model) = embedding {
            let vectors = client.embed(&provider, &model, &["hi".to_owned()], None).await;
            assert_eq!(vectors, Ok(vec![vec![1.0, 2.0]]), "{file}");
        }
    }
    let all: BTreeSet<&str> = ProviderKind::all().map(ProviderKind::name).collect();
    assert_eq!(kinds, all, "a kind without a page");
}
