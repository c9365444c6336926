//! The data of one call's store: WASI context, limits, and the session that answers host calls.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mneme_domain::policy::capability;
use parking_lot::Mutex;
use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::filesystem::WasiFilesystemCtxView;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bounds::{Meter, Metered};
use crate::files::{self, Allowance, Files, Scratch};
use crate::limiter::Shape;
use crate::net::{CallNetwork, Denials, Network, Powers};
use crate::output::Capture;
use crate::{Grants, HostError, Limits, Mount, ToolFailure, ToolHost, Usage};

/// Handles (streams, pollables, …) that a guest may hold at a time.
const MAX_HANDLES: usize = 1_000;
/// Bytes that one `wasi:random` call may ask for.
pub const MAX_RANDOM: u64 = 1 << 20;
/// Size of the headers of one request or answer, in bytes of memory.
const MAX_FIELDS: usize = 128 << 10;

/// What a store holds.
pub struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    http: WasiHttpCtx,
    network: CallNetwork,
    allowance: Allowance,
    /// Folders that go with the state, and their files with them.
    _folders: [Option<Scratch>; 2],
    meter: Meter,
    record: Arc<Mutex<Usage>>,
    /// Who answers host calls.
    pub session: Session,
}

/// The host side of one call.
pub struct Session {
    host: Arc<dyn ToolHost>,
    capabilities: Vec<String>,
    denials: Denials,
    host_call: Duration,
    log: Capture,
}

/// What of a call outlives its store: captured texts and refusals.
#[derive(Clone)]
pub struct Streams {
    /// Standard output.
    pub stdout: Capture,
    /// Standard error, and the log.
    pub stderr: Capture,
    /// What was refused.
    pub denials: Denials,
    /// What was used up, written when the store is dropped.
    pub usage: Arc<Mutex<Usage>>,
}

impl Streams {
    /// Empty ones, each bounded.
    pub fn new(limits: &Limits) -> Self {
        Self {
            stdout: Capture::new(limits.log_bytes),
            stderr: Capture::new(limits.log_bytes),
            denials: Denials::default(),
            usage: Arc::default(),
        }
    }
}

/// What a state is made from.
pub struct Setting<'a> {
    /// Answers host calls.
    pub host: Arc<dyn ToolHost>,
    /// What the call may reach.
    pub grants: Grants,
    /// What it may use up.
    pub limits: &'a Limits,
    /// Its environment.
    pub env: &'a [(String, String)],
    /// Its collected output.
    pub streams: &'a Streams,
    /// How an instance may be built.
    pub shape: Shape,
    /// When the call ends.
    pub deadline: Instant,
    /// Where folders for the files of calls are made.
    pub scratch: &'a Path,
    /// Whether there is a folder for temporary files.
    pub temporary: bool,
}

impl State {
    /// The state of a call.
    ///
    /// # Errors
    /// When a granted folder is not there.
    pub fn new(network: &Arc<Network>, setting: Setting<'_>) -> Result<Self, ToolFailure> {
        let Setting { host, grants, limits, env, streams, shape, deadline, scratch, temporary } = setting;
        let mut wasi = WasiCtx::builder();
        wasi.stdout(streams.stdout.clone())
            .stderr(streams.stderr.clone())
            .envs(env)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM);
        for Mount { from, at } in &grants.folders {
            wasi.preopened_dir(from, at, FsPerms::ReadOnly).map_err(|error| {
                tracing::error!(folder = %from.display(), %error, "a folder for a tool cannot be opened");
                ToolFailure::Internal(format!("what it should find in {at} is not there any more"))
            })?;
        }
        let has = |name: &str| grants.capabilities.iter().any(|granted| granted == name);
        let granted = has(capability::SCRATCH) && limits.file_bytes > 0;
        let own = if granted { Some(own_folder(scratch)?) } else { None };
        let temporary = if temporary && limits.file_bytes > 0 { temporary_folder(scratch) } else { None };
        for (folder, at) in [(&own, files::AT), (&temporary, files::TEMPORARY_AT)] {
            if let Some(folder) = folder {
                wasi.preopened_dir(folder.path(), at, FsPerms::ReadWrite).map_err(|error| unusable(&error))?;
            }
        }
        // One allowance for both.
        let allowance = Allowance::new(match (&own, &temporary) {
            (Some(_), _) => limits.file_bytes,
            (None, Some(_)) => limits.file_bytes.min(files::TEMPORARY_BYTES),
            (None, None) => 0,
        });
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        let powers = Powers { network: has(capability::NETWORK), api: has(capability::API) };
        let denials = streams.denials.clone();
        let network =
            CallNetwork::new(Arc::clone(network), grants.network, powers, Arc::clone(&host), denials.clone(), deadline);
        let session = Session {
            host,
            capabilities: grants.capabilities,
            denials,
            host_call: limits.host_call,
            log: streams.stderr.clone(),
        };
        let record = Arc::clone(&streams.usage);
        Ok(Self {
            wasi: wasi.build(),
            table,
            http,
            network,
            allowance,
            _folders: [own, temporary],
            meter: Meter::new(shape, limits),
            record,
            session,
        })
    }
}

impl State {
    /// The file system, counted.
    pub fn files(&mut self) -> Files<'_> {
        let inner = WasiFilesystemCtxView { ctx: self.wasi.filesystem(), table: &mut self.table };
        Files { inner, allowance: &self.allowance }
    }
}

/// A folder for the files of one call.
pub fn own_folder(root: &Path) -> Result<Scratch, ToolFailure> {
    Scratch::new(root).map_err(|error| unusable(&error))
}

/// A folder for temporary files. Few programs need it, so they run without one when it cannot be made.
fn temporary_folder(root: &Path) -> Option<Scratch> {
    let made = Scratch::new(root);
    made.inspect_err(|error| tracing::warn!(%error, "no folder can be made for a program's temporary files")).ok()
}

fn unusable(error: &dyn std::fmt::Display) -> ToolFailure {
    tracing::error!(%error, "no folder can be made for the files of a program");
    ToolFailure::Internal("there is no place for its files".to_owned())
}

impl Metered for State {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn meter_mut(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

/// However a call ends, its store is dropped: that is when its use is known.
impl Drop for State {
    fn drop(&mut self) {
        let (requests, network_bytes) = self.network.used();
        let (cpu, memory_bytes) = (self.meter.cpu(), self.meter.memory_bytes());
        *self.record.lock() = Usage { cpu, memory_bytes, requests, network_bytes };
    }
}

impl Session {
    /// The host, if the tool has the capability.
    pub fn host(&self, capability: &str) -> Result<&dyn ToolHost, HostError> {
        if self.capabilities.iter().any(|granted| granted == capability) {
            return Ok(&*self.host);
        }
        let refused = format!("this tool does not have the capability {capability}");
        self.denials.refuse(capability, refused.as_str());
        Err(HostError::Denied(refused))
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

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.network, table: &mut self.table, ctx: &mut self.http }
    }
}
