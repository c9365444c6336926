//! The figures to be beaten: those of the server that this one replaces.
//!
//! Measured on the retired server, 0.13.0, 2 cores: one worker, a pooled Postgres, and a model that answers at once.
//! The machine had other work meanwhile, so a ratio tells the order of magnitude and no more.

/// What the retired server did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Retired {
    /// Operations a second.
    pub rate: Option<f64>,
    /// Milliseconds that half of the operations did not exceed.
    pub p50: Option<f64>,
    /// Milliseconds that 99 of 100 operations did not exceed.
    pub p99: Option<f64>,
    /// Resident memory in MiB.
    pub mebibytes: Option<f64>,
}

const fn load(rate: f64, p50: f64, p99: f64) -> Retired {
    Retired { rate: Some(rate), p50: Some(p50), p99: Some(p99), mebibytes: None }
}

const fn took(p50: f64) -> Retired {
    Retired { rate: None, p50: Some(p50), p99: None, mebibytes: None }
}

const fn memory(mebibytes: f64) -> Retired {
    Retired { rate: None, p50: None, p99: None, mebibytes: Some(mebibytes) }
}

/// The best of several starts; the worst took 63 s.
pub const START: Retired = took(18_000.0);
pub const HEALTH_32: Retired = load(781.0, 38.0, 86.0);
pub const AGENT_CREATE_1: Retired = load(18.0, 52.0, 177.0);
pub const AGENT_CREATE_8: Retired = load(35.0, 225.0, 305.0);
pub const AGENT_GET_1: Retired = load(35.0, 28.0, 48.0);
pub const AGENT_GET_8: Retired = load(39.0, 194.0, 324.0);
pub const AGENT_GET_32: Retired = load(28.0, 1109.0, 1392.0);
pub const AGENT_LIST: Retired = load(4.7, 199.0, 647.0);
pub const BLOCK_LIST: Retired = load(90.0, 73.0, 530.0);
pub const TURN_1: Retired = load(3.8, 256.0, 748.0);
pub const TURN_8: Retired = load(5.1, 1417.0, 6437.0);
pub const TURN_32: Retired = load(5.4, 5880.0, 9526.0);
pub const TOOL_TURN: Retired = load(1.0, 776.0, 2512.0);
pub const FIRST_TOKEN: Retired = took(231.0);
pub const ARCHIVAL_INSERT: Retired = load(7.8, 125.0, 209.0);
pub const ARCHIVAL_SEARCH: Retired = Retired { rate: None, p50: Some(103.0), p99: Some(185.0), mebibytes: None };
/// In a virtual environment, the faster of its two ways; in a plain subprocess 4/s.
pub const PYTHON_TOOL: Retired = load(25.0, 39.0, 85.0);
/// In a plain subprocess; in a virtual environment 6.7 s.
pub const PYTHON_TOOL_COLD: Retired = took(850.0);
pub const IDLE_MEMORY: Retired = memory(405.0);
pub const MEMORY_AFTER_LOAD: Retired = memory(503.0);
