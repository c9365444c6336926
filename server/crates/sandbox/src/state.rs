//! The data of one call's store: WASI context, limits, and the session that answers host calls.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::limiter::Limiter;
use crate::output::Capture;
use crate::{HostError, Limits, ToolHost};

/// Handles (streams, pollables, …) that a guest may hold at a time.
const MAX_HANDLES: usize = 1_000;
/// Bytes that one `wasi:random` call may ask for.
const MAX_RANDOM: u64 = 1 << 20;

/// What a store holds.
pub struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    /// Bounds the instance's allocations.
    pub limiter: Limiter,
    /// Ticks that the guest may still compute for.
    pub ticks_left: u64,
    /// Who answers host calls.
    pub session: Session,
}

/// The host side of one call.
pub struct Session {
    host: Arc<dyn ToolHost>,
    capabilities: Vec<String>,
    host_call: Duration,
    log: Capture,
}

/// The two captured texts of a call.
#[derive(Clone)]
pub struct Streams {
    /// Standard output.
    pub stdout: Capture,
    /// Standard error, and the log.
    pub stderr: Capture,
}

impl Streams {
    /// Empty ones, each bounded.
    pub fn new(limits: &Limits) -> Self {
        Self { stdout: Capture::new(limits.log_bytes), stderr: Capture::new(limits.log_bytes) }
    }
}

impl State {
    /// The state of a call that may use `capabilities`.
    pub fn new(
        host: Arc<dyn ToolHost>,
        capabilities: Vec<String>,
        limits: &Limits,
        env: &[(String, String)],
        streams: &Streams,
    ) -> Self {
        let wasi = WasiCtx::builder()
            .stdout(streams.stdout.clone())
            .stderr(streams.stderr.clone())
            .envs(env)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM)
            .build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let session = Session { host, capabilities, host_call: limits.host_call, log: streams.stderr.clone() };
        Self { wasi, table, limiter: Limiter::new(limits.memory_bytes), ticks_left: 0, session }
    }
}

impl Session {
    /// The host, if the tool declared the capability.
    pub fn host(&self, capability: &str) -> Result<&dyn ToolHost, HostError> {
        if self.capabilities.iter().any(|declared| declared == capability) {
            return Ok(&*self.host);
        }
        Err(HostError::Denied(format!("this tool does not have the capability {capability}")))
    }

    /// The host, for what needs no capability.
    pub fn anyone(&self) -> &dyn ToolHost {
        &*self.host
    }

    /// Where log lines go.
    pub fn log(&self) -> &Capture {
        &self.log
    }

    /// Waits for a host call, but not for ever: the epoch does not pass in here.
    pub async fn bounded<T>(&self, call: impl Future<Output = Result<T, HostError>>) -> Result<T, HostError> {
        match tokio::time::timeout(self.host_call, call).await {
            Ok(answer) => answer,
            Err(_) => Err(HostError::Unavailable("the server did not answer this tool in time".to_owned())),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}
