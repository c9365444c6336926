//! The data of one program's store.

use std::path::Path;
use std::sync::Arc;

use mneme_domain::policy::capability;
use parking_lot::Mutex;
use tokio::time::Instant;
use wasmtime::Linker;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtx};

use super::{OWN_AT, door};
use crate::bounds::{Meter, Metered};
use crate::files::{self, Allowance, Preview1, Scratch};
use crate::limiter::Shape;
use crate::net::{Courier, Denials, Network};
use crate::script::Program;
use crate::state::{MAX_RANDOM, Streams, own_folder};
use crate::{Grants, Limits, Mount, ToolFailure, ToolHost, Usage};

/// Where the libraries keep what they compute once, such as matplotlib its list of fonts: in the program's own folder.
const TEMPORARY: &str = "/files/.tmp";
/// What the libraries may write when the program itself may not write files, in bytes.
const LIBRARIES_ONLY: u64 = 8 << 20;
/// Starts our own Python.
const START: &str = "import sys; sys.path.insert(0, '/usr/local/mneme'); import mneme_data; mneme_data.main()";

/// What a store holds.
pub struct State {
    wasi: WasiP1Ctx,
    allowance: Allowance,
    /// Files and folders that it has open.
    opened: u32,
    /// Goes with the state, and its files with it.
    _scratch: Scratch,
    meter: Meter,
    record: Arc<Mutex<Usage>>,
    denials: Denials,
    /// Sends its requests.
    pub courier: Arc<Courier>,
    /// What it is to run.
    pub program: Program,
    /// What came of it, once it said so.
    pub told: Option<door::Told>,
}

/// What a state is made from.
pub struct Setting<'a> {
    pub network: Arc<Network>,
    pub host: Arc<dyn ToolHost>,
    pub grants: Grants,
    pub limits: &'a Limits,
    pub streams: &'a Streams,
    pub deadline: Instant,
    pub scratch: &'a Path,
    pub program: Program,
    /// The libraries.
    pub mounts: &'a [Mount],
    /// Our own Python, and whether it may be written to.
    pub own: (&'a Mount, FsPerms),
}

impl State {
    /// The state of a program's run.
    ///
    /// # Errors
    /// When a folder is not there or cannot be made.
    pub fn new(setting: Setting<'_>) -> Result<Self, ToolFailure> {
        let Setting { network, host, grants, limits, streams, deadline, scratch, program, mounts, own } = setting;
        let scratch = own_folder(scratch)?;
        let inner = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "a folder for the data runtime cannot be opened");
            ToolFailure::Internal("a folder of the python-data runtime cannot be opened".to_owned())
        };
        let temporary = scratch.path().join(".tmp");
        std::fs::create_dir(&temporary).map_err(|error| inner(&error))?;
        let mut wasi = WasiCtx::builder();
        wasi.stdout(streams.stdout.clone())
            .stderr(streams.stderr.clone())
            .args(&["python", "-c", START])
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(MAX_RANDOM);
        for (name, value) in [("HOME", TEMPORARY), ("TMPDIR", TEMPORARY), ("MPLCONFIGDIR", TEMPORARY)] {
            wasi.env(name, value);
        }
        wasi.env("MPLBACKEND", "module://mneme_plots").env("PYTHONPATH", OWN_AT);
        let readable = grants.folders.iter().chain(mounts).map(|mount| (mount, FsPerms::ReadOnly));
        for (Mount { from, at }, powers) in readable.chain([own]) {
            wasi.preopened_dir(from, at, powers).map_err(|error| inner(&error))?;
        }
        for (folder, at) in [(scratch.path(), files::AT), (temporary.as_path(), files::TEMPORARY_AT)] {
            wasi.preopened_dir(folder, at, FsPerms::ReadWrite).map_err(|error| inner(&error))?;
        }
        let granted = grants.capabilities.iter().any(|name| name == capability::SCRATCH);
        let left = deadline.saturating_duration_since(Instant::now());
        Ok(Self {
            wasi: wasi.build_p1(),
            allowance: Allowance::new(if granted { limits.file_bytes.max(LIBRARIES_ONLY) } else { LIBRARIES_ONLY }),
            opened: 0,
            _scratch: scratch,
            meter: Meter::new(Shape::RUNTIME, limits),
            record: Arc::clone(&streams.usage),
            denials: streams.denials.clone(),
            courier: Arc::new(Courier::new(network, host, &grants, left)),
            program,
            told: None,
        })
    }
}

/// However a run ends, its store is dropped: that is when its use is known.
impl Drop for State {
    fn drop(&mut self) {
        let (requests, network_bytes) = self.courier.used();
        for denial in self.courier.denials() {
            self.denials.refuse(&denial.capability, denial.detail);
        }
        let (cpu, memory_bytes) = (self.meter.cpu(), self.meter.memory_bytes());
        *self.record.lock() = Usage { cpu, memory_bytes, requests, network_bytes };
    }
}

impl Metered for State {
    fn meter(&self) -> &Meter {
        &self.meter
    }

    fn meter_mut(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

impl Preview1 for State {
    fn wasi(&mut self) -> &mut WasiP1Ctx {
        &mut self.wasi
    }

    fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    fn opened(&mut self) -> &mut u32 {
        &mut self.opened
    }
}

/// Everything that the module imports.
///
/// # Errors
/// When the linker does not take it.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    p1::add_to_linker_async(linker, |state| &mut state.wasi)?;
    files::bound_preview1(linker)?;
    door::add_to_linker(linker)
}
