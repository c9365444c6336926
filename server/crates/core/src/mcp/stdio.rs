//! Servers that are child processes: with the environment they were given and no more, in a process group of their own,
//! limited, and gone with everything that they started when their connection ends.

use std::{
    collections::{HashMap, VecDeque},
    process::Stdio,
    sync::{Arc, Weak},
    time::Duration,
};

use mneme_domain::McpServerId;
use parking_lot::Mutex;
use rmcp::{
    RoleClient,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{Transport, async_rw::AsyncRwTransport},
};
use rustix::process::Pid;
use serde::Serialize;
use tokio::{
    io::AsyncReadExt,
    process::{Child, ChildStdin, ChildStdout, Command},
    task::spawn_blocking,
};
use utoipa::ToSchema;

use super::{
    failure::{Carried, Trouble},
    family::{Family, MARK},
    resolve::Target,
    settings::MAX_MESSAGE,
};
use crate::supervise::kept_going;

/// What is kept of a server's standard error, in bytes.
const MAX_LOG: usize = 64 << 10;
/// The most processes of one server.
const MAX_PROCESSES: usize = 64;
/// The most memory of one server's processes together, in bytes.
const MAX_MEMORY: u64 = 2 << 30;
/// Between two looks at what servers take.
const LOOK: Duration = Duration::from_millis(200);
/// How long a server has to end by itself, and again after it was asked to.
const GRACE: Duration = Duration::from_millis(1_500);
/// What a program needs to be found and to find others. Nothing of it is secret.
const INHERITED: &[&str] = &["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ"];
/// Sets limits that the program cannot raise, and becomes it: open files, no core dumps.
const START: &str = "ulimit -c 0; ulimit -n 1024; exec \"$0\" \"$@\"";

/// What servers wrote to standard error, by server.
#[derive(Default)]
pub struct Logs(Mutex<HashMap<McpServerId, Arc<Log>>>);

/// The newest of what a server wrote to standard error.
#[derive(Default)]
pub struct Log(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    bytes: VecDeque<u8>,
    lost: u64,
}

/// What a stdio server wrote to standard error.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct McpLog {
    /// The newest of it.
    pub stderr: String,
    /// How many bytes before that were not kept.
    pub dropped_bytes: u64,
}

impl Log {
    fn write(&self, bytes: &[u8]) {
        let mut kept = self.0.lock();
        kept.bytes.extend(bytes);
        let over = kept.bytes.len().saturating_sub(MAX_LOG);
        kept.bytes.drain(..over);
        kept.lost += over as u64;
    }

    /// What is kept, without control characters.
    pub fn read(&self) -> McpLog {
        let kept = self.0.lock();
        let bytes: Vec<u8> = kept.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let stderr = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        McpLog { stderr, dropped_bytes: kept.lost }
    }

    /// The last line that says something.
    fn last_words(&self) -> Option<String> {
        let log = self.read().stderr;
        let line = log.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        Some(line.chars().take(400).collect())
    }
}

impl Logs {
    /// The log of a server.
    pub fn of(&self, server: &McpServerId) -> Arc<Log> {
        self.0.lock().entry(server.clone()).or_default().clone()
    }

    /// Forgets a server.
    pub fn forget(&self, server: &McpServerId) {
        self.0.lock().remove(server);
    }
}

/// A server's processes. Dropping it ends them.
pub struct Group {
    family: Arc<Family>,
    /// Why the server ended it.
    reason: Mutex<Option<String>>,
    child: Mutex<Option<Child>>,
}

impl Drop for Group {
    fn drop(&mut self) {
        let (family, child) = (self.family.clone(), self.child.lock().take());
        let Some(mut child) = child else { return };
        if tokio::runtime::Handle::try_current().is_err() {
            family.end();
            return;
        }
        // Its standard input is closed by now, which a good server takes as its end.
        tokio::spawn(async move {
            let ended = tokio::time::timeout(GRACE, child.wait()).await.is_ok();
            if !ended {
                family.ask();
                let _ = tokio::time::timeout(GRACE, child.wait()).await;
            }
            // What it left behind goes as well.
            let _ = spawn_blocking(move || family.end()).await;
            let _ = child.wait().await;
        });
    }
}

impl Group {
    /// Ends the processes at once.
    pub fn kill(&self) {
        self.family.end();
    }
}

/// The pipes to a server.
pub struct Pipes {
    inner: AsyncRwTransport<RoleClient, ChildStdout, ChildStdin>,
    log: Arc<Log>,
    group: Weak<Group>,
}

impl Transport<RoleClient> for Pipes {
    type Error = Carried;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Carried>> + Send + 'static {
        let sent = self.inner.send(item);
        let (log, group) = (self.log.clone(), self.group.clone());
        async move {
            match sent.await {
                Ok(()) => Ok(()),
                Err(_) => Err(Carried(Trouble::Gone { reason: parting(&log, &group), unsent: true })),
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        self.inner.receive().await
    }

    async fn close(&mut self) -> Result<(), Carried> {
        // What is left of the connection goes with the group.
        let _ = self.inner.close().await;
        Ok(())
    }
}

/// Why a process is not there any more.
pub fn parting(log: &Log, group: &Weak<Group>) -> String {
    let given = group.upgrade().and_then(|group| group.reason.lock().clone());
    match (given, log.last_words()) {
        (Some(reason), _) => reason,
        (None, Some(words)) => format!("its process ended; its last words: {words}"),
        (None, None) => "its process ended".into(),
    }
}

/// Starts a server; `mark` tells its processes from those of every other.
///
/// # Errors
/// When the program cannot be started.
pub fn start(target: &Target, mark: &str, log: &Arc<Log>) -> Result<(Pipes, Arc<Group>), Trouble> {
    let Target::Stdio { command, args, env } = target else {
        return Err(Trouble::Wrong("it is no process".into()));
    };
    let cannot = |error: std::io::Error| Trouble::Forbidden(format!("{command} cannot be started: {error}"));
    let mut program = Command::new("/bin/sh");
    program.arg("-c").arg(START).arg(command).args(args).env_clear();
    program.envs(INHERITED.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
    program.envs(env).env(MARK, mark);
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.process_group(0).kill_on_drop(true).spawn().map_err(cannot)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let (Some(stdin), Some(stdout), Some(mut stderr), Some(leader)) = (stdin, stdout, stderr, leader) else {
        return Err(Trouble::Forbidden(format!("{command} cannot be started")));
    };
    let family = Arc::new(Family::new(leader, mark));
    let group = Arc::new(Group { family, reason: Mutex::new(None), child: Mutex::new(Some(child)) });
    let kept = log.clone();
    tokio::spawn(async move {
        let mut buffer = vec![0; 16 << 10];
        // A pipe that nobody empties would hold the server up.
        while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
            kept.write(&buffer[..read]);
        }
    });
    let watched = Arc::downgrade(&group);
    tokio::spawn(kept_going("the watch over an MCP server", move || watch(watched.clone())));
    let inner = AsyncRwTransport::new_client(stdout, stdin).with_max_line_length(MAX_MESSAGE);
    Ok((Pipes { inner, log: log.clone(), group: Arc::downgrade(&group) }, group))
}

/// Ends a server that takes too much, for as long as there is one.
async fn watch(group: Weak<Group>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(family) = group.upgrade().map(|group| group.family.clone()) else { return };
        let Ok((processes, memory)) = spawn_blocking(move || family.taken()).await else { return };
        let reason = if processes > MAX_PROCESSES {
            format!("it was ended because it had more than {MAX_PROCESSES} processes")
        } else if memory > MAX_MEMORY {
            format!("it was ended because it took more than {} MiB of memory", MAX_MEMORY >> 20)
        } else {
            continue;
        };
        let Some(group) = group.upgrade() else { return };
        tracing::warn!(processes, memory, "a stdio MCP server was ended");
        group.reason.lock().get_or_insert(reason);
        let family = group.family.clone();
        drop(group);
        let _ = spawn_blocking(move || family.end()).await;
        return;
    }
}
