//! What the provider remembers: queued answers, the model list, requests received.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderMap;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::batches::Batches;
use super::reply::Reply;

/// A request that the provider received.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The HTTP method.
    pub method: String,
    /// The path with its leading slash, without the query.
    pub path: String,
    /// All headers, names in lower case.
    pub headers: HeaderMap,
    /// The JSON body, or null when there was none.
    pub body: Value,
}

impl Recorded {
    /// The `messages` of a chat request.
    pub fn messages(&self) -> &[Value] {
        self.body["messages"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The text of the system prompt of a chat request, empty when there is none.
    pub fn system_prompt(&self) -> String {
        let system =
            self.messages().iter().find(|message| message["role"] == "system" || message["role"] == "developer");
        system.map(|message| content_text(&message["content"])).unwrap_or_default()
    }

    /// The text of the last user message of a chat request, empty when there is none.
    pub fn last_user_text(&self) -> String {
        let user = self.messages().iter().rev().find(|message| message["role"] == "user");
        user.map(|message| content_text(&message["content"])).unwrap_or_default()
    }

    /// The names of the tools offered by a chat request.
    pub fn tool_names(&self) -> Vec<String> {
        let tools = self.body["tools"].as_array().into_iter().flatten();
        tools.filter_map(|tool| tool["function"]["name"].as_str()).map(str::to_owned).collect()
    }
}

fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

#[derive(Debug)]
struct Queued {
    contains: Option<String>,
    reply: Reply,
}

/// Answers a request by what is in it, again and again.
struct Script(Arc<Answering>);

type Answering = dyn Fn(&Recorded) -> Option<Reply> + Send + Sync;

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

#[derive(Debug)]
struct Inner {
    script: Option<Script>,
    queue: VecDeque<Queued>,
    default: Option<Reply>,
    models: Vec<Value>,
    requests: Vec<Recorded>,
    disconnects: usize,
    batches: Batches,
}

/// Shared between the test and the provider's thread.
#[derive(Debug)]
pub(super) struct State {
    inner: Mutex<Inner>,
    changed: Notify,
    next_id: AtomicU64,
}

impl Default for State {
    fn default() -> Self {
        let models = ["gpt-4o-mini", "gpt-4.1", "gpt-5-mini", "text-embedding-3-small"]
            .map(|id| json!({"id": id, "object": "model", "created": 1, "owned_by": "test"}))
            .to_vec();
        let inner = Inner {
            script: None,
            queue: VecDeque::new(),
            default: None,
            models,
            requests: Vec::new(),
            disconnects: 0,
            batches: Batches::default(),
        };
        Self { inner: Mutex::new(inner), changed: Notify::new(), next_id: AtomicU64::new(1) }
    }
}

impl State {
    pub(super) fn push(&self, contains: Option<String>, reply: Reply) {
        self.inner.lock().queue.push_back(Queued { contains, reply });
    }

    pub(super) fn set_default(&self, reply: Reply) {
        self.inner.lock().default = Some(reply);
    }

    pub(super) fn set_script(&self, script: impl Fn(&Recorded) -> Option<Reply> + Send + Sync + 'static) {
        self.inner.lock().script = Some(Script(Arc::new(script)));
    }

    pub(super) fn set_models(&self, models: Vec<Value>) {
        self.inner.lock().models = models;
    }

    pub(super) fn models(&self) -> Vec<Value> {
        self.inner.lock().models.clone()
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.inner.lock().requests.clone()
    }

    pub(super) fn forget(&self) {
        self.inner.lock().requests.clear();
    }

    pub(super) fn queued(&self) -> usize {
        self.inner.lock().queue.len()
    }

    pub(super) fn disconnects(&self) -> usize {
        self.inner.lock().disconnects
    }

    /// Looks at the batches, or changes them.
    pub(super) fn batches<T>(&self, with: impl FnOnce(&mut Batches) -> T) -> T {
        with(&mut self.inner.lock().batches)
    }

    pub(super) fn record(&self, request: Recorded) {
        self.inner.lock().requests.push(request);
        self.changed.notify_waiters();
    }

    /// A number that no earlier call returned, for ids.
    pub(super) fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes the answer for a chat request: one addressed to it, else the next in line, else the default, else an echo.
    pub(super) fn take_reply(&self, request: &Recorded) -> Reply {
        let user = request.last_user_text();
        let mut inner = self.inner.lock();
        let addressed = |queued: &Queued| queued.contains.as_ref().is_some_and(|text| user.contains(text));
        let found = inner
            .queue
            .iter()
            .position(addressed)
            .or_else(|| inner.queue.iter().position(|queued| queued.contains.is_none()));
        if let Some(queued) = found.and_then(|index| inner.queue.remove(index)) {
            return queued.reply;
        }
        if let Some(reply) = inner.script.as_ref().and_then(|script| (script.0)(request)) {
            return reply;
        }
        inner.default.clone().unwrap_or_else(|| Reply::text(format!("echo: {user}")))
    }

    /// Waits until a condition over this state holds; it is looked at again after every change.
    pub(super) async fn wait_until(&self, condition: impl Fn() -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before the look, so that a change in between is not missed.
            changed.as_mut().enable();
            if condition() {
                return;
            }
            changed.await;
        }
    }
}

/// Counts a disconnect when it is dropped before [`Guard::finish`]: hyper drops what it was sending when the
/// client goes away.
#[derive(Debug)]
pub(super) struct Guard(Option<Arc<State>>);

impl Guard {
    pub(super) fn new(state: &Arc<State>) -> Self {
        Self(Some(Arc::clone(state)))
    }

    pub(super) fn finish(&mut self) {
        self.0 = None;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(state) = self.0.take() {
            state.inner.lock().disconnects += 1;
            state.changed.notify_waiters();
        }
    }
}
