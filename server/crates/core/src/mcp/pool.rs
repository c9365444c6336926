//! The connections: one for each server and set of credentials, made when it is needed, again when it broke, and not
//! again too soon.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mneme_domain::{Actor, McpServerId, OrgId, mcp::McpServer};
use mneme_macros::boxed;
use mneme_memo::{Bounds, Memo};
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};

use super::{
    failure::Trouble,
    oauth::Permission,
    open::{Connection, Handler, Means},
    resolve::{Resolved, Target},
    stdio::Logs,
};
use crate::{Core, supervise::kept_going};

/// The most connections.
const MAX_CONNECTIONS: u64 = 1_000;
/// The most servers that are processes at the same time.
const MAX_PROCESSES: usize = 100;
/// How long a connection that nobody uses stays.
const IDLE: Duration = Duration::from_secs(900);
/// Between two looks for such.
const HOUSEKEEPING: Duration = Duration::from_secs(30);
/// The first pause after a failure; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    org: OrgId,
    server: McpServerId,
    credentials: [u8; 32],
}

#[derive(Default)]
struct Slot {
    connection: Option<Arc<Connection>>,
    failures: u32,
    /// Until when nobody tries again, and why.
    pause: Option<(Instant, Trouble)>,
}

/// Connections by server and credentials.
pub struct Pool {
    slots: Memo<Key, Arc<Mutex<Slot>>>,
    processes: Arc<Semaphore>,
    /// What processes wrote to standard error.
    pub logs: Logs,
    /// Whether somebody looks for connections that nobody uses.
    kept: AtomicBool,
}

impl Default for Pool {
    fn default() -> Self {
        let slots = Memo::new(Bounds::of(MAX_CONNECTIONS).idle(IDLE));
        Self {
            slots,
            processes: Arc::new(Semaphore::new(MAX_PROCESSES)),
            logs: Logs::default(),
            kept: AtomicBool::new(false),
        }
    }
}

/// Who asks for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A tool call: after a failure it is told of that until the pause is over.
    Usual,
    /// A person: they have just mended it, and want it tried now.
    Now,
}

#[boxed]
impl Pool {
    /// Ends a server's connections.
    pub fn forget(&self, server: &McpServerId) {
        for (key, slot) in self.slots.all().into_iter().filter(|(key, _)| key.server == *server) {
            // A call that is under way has its connection until it is done.
            if let Ok(mut slot) = slot.try_lock() {
                slot.connection = None;
            }
            self.slots.remove(&key);
        }
        self.slots.settle();
    }

    /// Ends all connections.
    pub async fn close(&self) {
        for (_, slot) in self.slots.all() {
            let held = tokio::time::timeout(Duration::from_millis(100), slot.lock()).await;
            if let Ok(mut slot) = held
                && let Some(connection) = slot.connection.take()
            {
                connection.kill();
            }
        }
        self.slots.clear();
    }
}

impl Core {
    /// A connection to a server.
    pub(super) async fn mcp_connection(
        self: &Arc<Self>,
        actor: &Actor,
        server: &McpServer,
        resolved: &Resolved,
        urgency: Urgency,
    ) -> Result<Arc<Connection>, Trouble> {
        let key = Key { org: actor.org.clone(), server: server.id.clone(), credentials: resolved.fingerprint() };
        let slot = self.mcp.pool.slots.get_with(&key, Arc::default);
        // Whoever comes while one tries waits for the outcome, which comes within the limit of a handshake.
        let mut slot = slot.lock().await;
        if let Some(connection) = &slot.connection {
            if !connection.is_closed() {
                return Ok(connection.clone());
            }
            slot.connection = None;
        }
        if let Some((until, trouble)) = &slot.pause
            && urgency == Urgency::Usual
            && Instant::now() < *until
        {
            return Err(trouble.clone());
        }
        match self.mcp_open(actor, Some(server), &server.name, resolved).await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *slot = Slot { connection: Some(connection.clone()), ..Slot::default() };
                self.mcp_keep_house();
                self.mcp_look_again(actor, server, &connection);
                Ok(connection)
            }
            Err(trouble) => {
                let pause = FIRST_PAUSE.saturating_mul(1 << slot.failures.min(16)).min(LONGEST_PAUSE);
                slot.failures += 1;
                slot.pause = Some((Instant::now() + pause, trouble.clone()));
                tracing::info!(server = %server.id, reason = trouble.text(), "an MCP server could not be reached");
                self.mcp_note_failure(actor, server, &trouble).await;
                Err(trouble)
            }
        }
    }

    /// Makes a connection that no one else uses.
    pub(super) async fn mcp_open(
        self: &Arc<Self>,
        actor: &Actor,
        server: Option<&McpServer>,
        name: &str,
        resolved: &Resolved,
    ) -> Result<Connection, Trouble> {
        let mcp = &self.mcp;
        let (mut place, mut permission) = (None, None);
        match &resolved.target {
            Target::Stdio { .. } => {
                if !mcp.settings.stdio {
                    return Err(Trouble::Forbidden(
                        "stdio servers run programs on the server's machine, which its operator has not allowed \
                         (setting mcp_stdio)"
                            .into(),
                    ));
                }
                let free = mcp.pool.processes.clone().try_acquire_owned();
                place = Some(free.map_err(|_| {
                    Trouble::Forbidden(format!("{MAX_PROCESSES} stdio servers run already; try again later"))
                })?);
            }
            Target::Remote { url, .. } => {
                if resolved.bare {
                    permission = Permission::find(self, actor, name, url).await?;
                }
            }
        }
        let log = match server {
            Some(server) => mcp.pool.logs.of(&server.id),
            None => Arc::default(),
        };
        let handler = self.mcp_handler(actor, server);
        // Other servers of the machine have other process numbers.
        let mark = format!("{}-{}", std::process::id(), self.env.uuid().simple());
        let (peers, settings) = (&mcp.peers, &mcp.settings);
        let means = Means { peers, settings, resolved, permission, mark, log, place, handler };
        Connection::open(means).await
    }

    /// From the first connection on, ends those that nobody has used for long.
    fn mcp_keep_house(self: &Arc<Self>) {
        if self.mcp.pool.kept.swap(true, Ordering::AcqRel) {
            return;
        }
        let core = Arc::downgrade(self);
        tokio::spawn(kept_going("the housekeeping of MCP servers", move || Self::mcp_keep_on(core.clone())));
    }

    async fn mcp_keep_on(core: Weak<Self>) {
        loop {
            tokio::time::sleep(HOUSEKEEPING).await;
            let Some(core) = core.upgrade() else { return };
            core.mcp.pool.slots.settle();
        }
    }

    /// Takes a connection that broke out of use.
    pub(super) async fn mcp_discard(
        &self,
        actor: &Actor,
        server: &McpServer,
        resolved: &Resolved,
        broken: &Arc<Connection>,
    ) {
        let key = Key { org: actor.org.clone(), server: server.id.clone(), credentials: resolved.fingerprint() };
        let Some(slot) = self.mcp.pool.slots.get(&key) else { return };
        let mut slot = slot.lock().await;
        // Somebody else may have made a new one.
        if slot.connection.as_ref().is_some_and(|connection| Arc::ptr_eq(connection, broken)) {
            slot.connection = None;
        }
    }

    /// Listens for a server's changes.
    fn mcp_handler(self: &Arc<Self>, actor: &Actor, server: Option<&McpServer>) -> Handler {
        let Some(id) = server.map(|server| server.id.clone()) else { return Handler::new(|| {}) };
        let (core, actor) = (Arc::downgrade(self), actor.clone());
        let busy = Arc::new(AtomicBool::new(false));
        Handler::new(move || {
            let Some(core) = core.upgrade() else { return };
            // One look at a time, however often a server says so.
            if busy.swap(true, Ordering::AcqRel) {
                return;
            }
            let (actor, id, busy) = (actor.clone(), id.clone(), busy.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(200)).await;
                busy.store(false, Ordering::Release);
                core.mcp_changed(&actor, &id).await;
            });
        })
    }
}
