//! A scripted stand-in for an OpenAI-compatible model provider, for tests and benches.
//!
//! Answers come from a queue that the test fills; when the queue is empty the provider repeats the last user
//! message. It runs on a thread of its own, so it answers even while a test blocks its own runtime.
//!
//! ```no_run
//! # async fn story() {
//! use mneme_tests::{Provider, Reply};
//! use serde_json::json;
//!
//! let provider = Provider::start().await;
//! provider
//!     .reply(Reply::tool_call("memory_insert", json!({"label": "human", "new_str": "Likes tea."})))
//!     .reply(Reply::text("I will remember that."));
//! // ... drive the server, then look at what it sent:
//! assert_eq!(provider.chats()[0].body["model"], "gpt-4o-mini");
//! # }
//! ```

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

mod batches;
mod embedding;
mod reply;
mod routes;
mod state;
mod wire;

pub use reply::Reply;
pub use state::Recorded;

use state::State;

/// How long the `wait_for_*` methods wait before they fail the test.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// A running provider on a loopback port; it stops when dropped.
#[derive(Debug)]
pub struct Provider {
    address: SocketAddr,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
}

impl Provider {
    /// Starts a provider that knows a few of OpenAI's model names and echoes.
    pub async fn start() -> Self {
        Self::start_blocking()
    }

    /// [`Provider::start`] for tests without a runtime.
    pub fn start_blocking() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("no free loopback port");
        listener.set_nonblocking(true).expect("the listener can be non-blocking");
        let address = listener.local_addr().expect("a bound listener has an address");
        let state = Arc::new(State::default());
        let (stop, stopped) = oneshot::channel();
        let app = routes::router(Arc::clone(&state));
        std::thread::Builder::new()
            .name("model-provider".into())
            .spawn(move || serve(listener, app, stopped))
            .expect("a thread can be started");
        Self { address, state, stop: Some(stop) }
    }

    /// The base URL as an OpenAI client wants it, with `/v1`.
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.url())
    }

    /// The root URL, without `/v1`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Queues an answer for the next chat request that no other queued answer claims.
    pub fn reply(&self, reply: Reply) -> &Self {
        self.state.push(None, reply);
        self
    }

    /// Queues an answer for the next chat request whose last user message contains `text`. Such answers go first,
    /// which keeps concurrent conversations apart.
    pub fn reply_to(&self, text: &str, reply: Reply) -> &Self {
        self.state.push(Some(text.to_owned()), reply);
        self
    }

    /// Queues raw server-sent-event bytes for the next chat request, as [`Reply::raw_sse`].
    pub fn raw_sse(&self, bytes: impl Into<bytes::Bytes>) -> &Self {
        self.reply(Reply::raw_sse(bytes))
    }

    /// What to answer, again and again, when the queue is empty, instead of an echo.
    pub fn otherwise(&self, reply: Reply) -> &Self {
        self.state.set_default(reply);
        self
    }

    /// Answers requests that no queued answer claims by what is in them, so that the same request gets the same answer
    /// however often it comes. `None` leaves a request to [`Provider::otherwise`].
    pub fn script(&self, script: impl Fn(&Recorded) -> Option<Reply> + Send + Sync + 'static) -> &Self {
        self.state.set_script(script);
        self
    }

    /// Replaces the list that `/v1/models` answers by these ids.
    pub fn models(&self, ids: &[&str]) -> &Self {
        self.models_json(
            ids.iter().map(|id| json!({"id": id, "object": "model", "created": 1, "owned_by": "test"})).collect(),
        )
    }

    /// Replaces the list that `/v1/models` answers by whole entries, say with a `context_length`.
    pub fn models_json(&self, entries: Vec<Value>) -> &Self {
        self.state.set_models(entries);
        self
    }

    /// Every request received so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.state.requests()
    }

    /// The chat requests received so far, oldest first.
    pub fn chats(&self) -> Vec<Recorded> {
        self.requests().into_iter().filter(|request| request.path.ends_with("/chat/completions")).collect()
    }

    /// Keeps batches under way, until it is called with false.
    pub fn hold_batches(&self, held: bool) -> &Self {
        self.state.batches(|batches| batches.held = held);
        self
    }

    /// Refuses the next upload of a batch's calls with this status.
    pub fn refuse_upload(&self, status: u16) -> &Self {
        self.state.batches(|batches| batches.refusals.push(status));
        self
    }

    /// The calls of each batch that was begun, oldest first.
    pub fn batches(&self) -> Vec<Vec<Value>> {
        let calls = |file: &String| file.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect();
        self.state.batches(|batches| batches.begun.iter().map(|(file, ..)| calls(&batches.files[*file])).collect())
    }

    /// Waits until so many batches were begun.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn wait_for_batches(&self, count: usize) {
        let wait = self.state.wait_until(|| {
            self.requests().iter().filter(|one| one.path == "/v1/batches" && one.method == "POST").count() >= count
        });
        let in_time = tokio::time::timeout(WAIT_LIMIT, wait).await.is_ok();
        assert!(in_time, "{} of {count} batches came within {WAIT_LIMIT:?}", self.batches().len());
    }

    /// Forgets recorded requests; queued answers stay.
    pub fn forget_requests(&self) -> &Self {
        self.state.forget();
        self
    }

    /// How many queued answers nobody has asked for yet.
    pub fn unused_replies(&self) -> usize {
        self.state.queued()
    }

    /// How many answers the client walked away from before they ended.
    pub fn disconnects(&self) -> usize {
        self.state.disconnects()
    }

    /// Waits until `count` chat requests have arrived.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn wait_for_chats(&self, count: usize) {
        let wait = self.state.wait_until(|| self.chats().len() >= count);
        let in_time = tokio::time::timeout(WAIT_LIMIT, wait).await.is_ok();
        assert!(in_time, "{} of {count} chat requests came within {WAIT_LIMIT:?}", self.chats().len());
    }

    /// Waits until the client has walked away from `count` answers.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn wait_for_disconnects(&self, count: usize) {
        let wait = self.state.wait_until(|| self.disconnects() >= count);
        let in_time = tokio::time::timeout(WAIT_LIMIT, wait).await.is_ok();
        assert!(in_time, "{} of {count} disconnects came within {WAIT_LIMIT:?}", self.disconnects());
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may have ended by itself.
            let _ = stop.send(());
        }
    }
}

fn serve(listener: TcpListener, app: axum::Router, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("the runtime takes the listener");
        tokio::select! {
            served = axum::serve(listener, app) => served.expect("the provider serves"),
            _ = stopped => {}
        }
    });
    // Dropping the runtime cuts whatever hangs, which is what a test that ends wants.
}
