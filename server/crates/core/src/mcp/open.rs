//! A connection to a server: made, listed and called within limits of time and size.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use mneme_domain::{
    JsonObject,
    mcp::{McpServerType, McpTool},
};
use mneme_macros::boxed;
use rmcp::{
    ClientHandler, RoleClient, ServiceExt,
    model::{
        CallToolRequest, CallToolRequestParams, CallToolResult, CancelledNotification, CancelledNotificationParam,
        ClientCapabilities, ClientConfig, ClientRequest, Implementation, PaginatedRequestParams, RequestId,
        ServerResult,
    },
    service::{ClientInitializeError, NotificationContext, Peer, PeerRequestOptions, RequestHandle, RunningService},
    transport::{
        StreamableHttpClientTransport, common::client_side_sse::ExponentialBackoff,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::Value;
use tokio::{runtime::Handle, sync::OwnedSemaphorePermit, time::timeout};

use super::{
    failure::{Trouble, too_large},
    http::{CallingAgent, Credentials, HttpClient},
    oauth::Permission,
    resolve::{Resolved, Target},
    schema::normalise,
    settings::{MAX_LIST, MAX_MESSAGE, MAX_PAGES, MAX_TOOLS, McpSettings},
    sse::EventTransport,
    stdio::{self, Group, Log},
    way::Way,
};
use crate::outbound::Peers;

/// Calls without an answer in a row after which a connection is given up.
const MAX_SILENT: u32 = 2;
/// How long the last words of a process may take to arrive.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// How long telling a server that nobody waits any more may take.
const NOTICE: Duration = Duration::from_secs(5);

/// What a server may tell the client: that its tools changed. It is asked nothing else: no samples of models, no files,
/// no questions to people.
pub struct Handler {
    changed: Box<dyn Fn() + Send + Sync>,
}

impl Handler {
    /// Calls `changed` whenever the server says that its tools did.
    pub fn new(changed: impl Fn() + Send + Sync + 'static) -> Self {
        Self { changed: Box::new(changed) }
    }
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let version = env!("CARGO_PKG_VERSION");
        ClientConfig::new(ClientCapabilities::default(), Implementation::new("mneme", version))
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        (self.changed)();
    }
}

/// A connection. Dropping it ends it.
pub struct Connection {
    running: RunningService<RoleClient, Handler>,
    silent: AtomicU32,
    secrets: Vec<String>,
    /// Whether somebody's permission goes with its requests.
    permitted: bool,
    list: Duration,
    call: Duration,
    /// The process and its log, where there is one.
    process: Option<(Arc<Group>, Arc<Log>)>,
    _place: Option<OwnedSemaphorePermit>,
}

/// Shakes hands with a server.
#[boxed]
async fn shake(handler: Handler, way: Way) -> Result<RunningService<RoleClient, Handler>, ClientInitializeError> {
    handler.serve(way).await
}

/// What a connection is made with.
pub struct Means<'a> {
    pub peers: &'a Peers,
    pub settings: &'a McpSettings,
    pub resolved: &'a Resolved,
    pub permission: Option<Permission>,
    /// What no other connection has.
    pub mark: String,
    pub log: Arc<Log>,
    /// A place among the processes, for a server that is one.
    pub place: Option<OwnedSemaphorePermit>,
    pub handler: Handler,
}

#[boxed]
impl Connection {
    /// Connects and shakes hands.
    ///
    /// # Errors
    /// When that fails or takes too long. Nothing is left of it then.
    pub async fn open(means: Means<'_>) -> Result<Self, Trouble> {
        let (limit, secrets) = (means.settings.connect, means.resolved.secrets.clone());
        let permitted = means.permission.is_some();
        let opened = timeout(limit, Self::begin(means)).await;
        opened.unwrap_or(Err(Trouble::Timeout("handshake", limit))).map_err(|trouble| {
            let trouble = trouble.scrubbed(&secrets);
            if permitted { trouble.after_permission() } else { trouble }
        })
    }

    async fn begin(means: Means<'_>) -> Result<Self, Trouble> {
        let Means { peers, settings, resolved, permission, mark, log, place, handler } = means;
        let permitted = permission.is_some();
        let (running, process) = match &resolved.target {
            target @ Target::Stdio { .. } => {
                let (pipes, group) = stdio::start(target, &mark, &log)?;
                let shaken = shake(handler, Way::Pipes(Box::new(pipes))).await;
                match shaken {
                    Ok(running) => (running, Some((group, log))),
                    Err(ClientInitializeError::ConnectionClosed(_) | ClientInitializeError::TransportError { .. }) => {
                        tokio::time::sleep(LAST_WORDS).await;
                        let reason = stdio::parting(&log, &Arc::downgrade(&group));
                        return Err(Trouble::Gone { reason, unsent: true });
                    }
                    Err(other) => return Err(other.into()),
                }
            }
            Target::Remote { kind, url, headers } => {
                let (client, url) = peers.client(url)?;
                let credentials = Arc::new(Credentials::new(headers.clone(), permission));
                if *kind == McpServerType::Sse {
                    let transport = EventTransport::open(client, url, credentials).await?;
                    (shake(handler, Way::Events(Box::new(transport))).await?, None)
                } else {
                    let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str())
                        .max_sse_event_size(MAX_MESSAGE)
                        .max_json_response_size(MAX_MESSAGE)
                        .max_error_response_size(4 << 10)
                        .reinit_on_expired_session(true);
                    // The stream for notifications is a convenience; a server that keeps cutting it does without.
                    let mut patience = ExponentialBackoff::default();
                    patience.max_times = Some(8);
                    patience.max_delay = Some(Duration::from_secs(60));
                    config.retry_config = Arc::new(patience);
                    let transport =
                        StreamableHttpClientTransport::with_client(HttpClient::new(client, credentials), config);
                    (shake(handler, Way::Http(Box::new(transport))).await?, None)
                }
            }
        };
        Ok(Self {
            running,
            silent: AtomicU32::new(0),
            secrets: resolved.secrets.clone(),
            permitted,
            list: settings.list,
            call: settings.call,
            process,
            _place: place,
        })
    }

    /// Whether it is of no use any more.
    pub fn is_closed(&self) -> bool {
        self.running.is_closed()
            || self.running.is_transport_closed()
            || self.silent.load(Ordering::Relaxed) >= MAX_SILENT
    }

    /// Ends it without waiting for the other side.
    pub fn kill(&self) {
        if let Some((group, _)) = &self.process {
            group.kill();
        }
    }

    /// What is the matter, without secrets, and with a process's last words.
    async fn explained(&self, trouble: Trouble) -> Trouble {
        let trouble = match (trouble, &self.process) {
            (Trouble::Gone { unsent, .. }, Some((group, log))) => {
                tokio::time::sleep(LAST_WORDS).await;
                Trouble::Gone { reason: stdio::parting(log, &Arc::downgrade(group)), unsent }
            }
            (trouble, _) if self.permitted => trouble.after_permission(),
            (trouble, _) => trouble,
        };
        trouble.scrubbed(&self.secrets)
    }

    /// All tools of the server.
    ///
    /// # Errors
    /// When that takes too long or there are too many.
    pub async fn tools(&self) -> Result<Vec<McpTool>, Trouble> {
        let listed =
            timeout(self.list, self.pages()).await.unwrap_or(Err(Trouble::Timeout("list of tools", self.list)));
        match listed {
            Ok(tools) => Ok(tools),
            Err(trouble) => Err(self.explained(trouble).await),
        }
    }

    async fn pages(&self) -> Result<Vec<McpTool>, Trouble> {
        let (mut tools, mut size) = (Vec::new(), 0);
        let mut cursor = None;
        for _ in 0..MAX_PAGES {
            let page = self.running.list_tools(Some(PaginatedRequestParams::default().with_cursor(cursor))).await?;
            for tool in page.tools {
                let value = serde_json::to_value(&tool).map_err(|_| Trouble::Wrong("a tool of its is none".into()))?;
                size += value.to_string().len();
                if size > MAX_LIST {
                    return Err(Trouble::Wrong(too_large()));
                }
                tools.push(described(value)?);
                if tools.len() > MAX_TOOLS {
                    return Err(Trouble::Wrong(format!("it has more than {MAX_TOOLS} tools")));
                }
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(tools);
            }
        }
        Err(Trouble::Wrong(format!("its list of tools has more than {MAX_PAGES} pages")))
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// When it cannot be called or does not answer; what the tool itself says went wrong is a result.
    pub async fn call(
        &self,
        name: &str,
        arguments: JsonObject,
        agent: Option<&str>,
    ) -> Result<CallToolResult, Trouble> {
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let mut request = CallToolRequest::new(params);
        if let Some(agent) = agent {
            request.extensions.insert(CallingAgent(agent.to_owned()));
        }
        let answered = timeout(self.call, async {
            let options = PeerRequestOptions::no_options();
            let sent = self.running.send_request_with_option(ClientRequest::CallToolRequest(request), options).await?;
            let asked = Asked::new(&sent);
            let answer = sent.await_response().await;
            asked.answered();
            answer
        });
        match answered.await {
            Ok(Ok(ServerResult::CallToolResult(result))) => {
                self.silent.store(0, Ordering::Relaxed);
                Ok(result)
            }
            Ok(Ok(_)) => Err(Trouble::Wrong("what it answered is no result of a tool".into())),
            Err(_) => {
                self.silent.fetch_add(1, Ordering::Relaxed);
                Err(Trouble::Timeout("call", self.call))
            }
            Ok(Err(error)) => Err(self.explained(error.into()).await),
        }
    }
}

/// A call that a server has in hand. Dropping it, because its time is over or because its turn was cancelled, tells the
/// server that nobody waits for the answer any more.
struct Asked {
    peer: Peer<RoleClient>,
    /// Nothing once there is an answer.
    id: Option<RequestId>,
}

impl Asked {
    fn new(sent: &RequestHandle<RoleClient>) -> Self {
        Self { peer: sent.peer.clone(), id: Some(sent.id.clone()) }
    }

    fn answered(mut self) {
        self.id = None;
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let Ok(runtime) = Handle::try_current() else { return };
        let peer = self.peer.clone();
        runtime.spawn(async move {
            let reason = "nobody waits for the answer any more".to_owned();
            let notice = CancelledNotification::new(CancelledNotificationParam::new(Some(id), Some(reason)));
            // A server that does not take it in has been given up already.
            let _ = timeout(NOTICE, peer.send_notification(notice.into())).await;
        });
    }
}

/// A listed tool with its schema made fit for models.
fn described(value: Value) -> Result<McpTool, Trouble> {
    let wrong = |_| Trouble::Wrong("a tool of its is none".into());
    let mut tool: McpTool = serde_json::from_value(value).map_err(wrong)?;
    let (schema, health) = normalise(&tool.input_schema);
    tool.input_schema = schema;
    tool.health = Some(health);
    Ok(tool)
}
