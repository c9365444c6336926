//! What bounds a guest of any kind while it computes, and which of the bounds ended it.

use std::time::Duration;

use wasmtime::{Engine, Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use crate::limiter::{Limiter, Shape};
use crate::state::Streams;
use crate::ticker::TICK;
use crate::{Limits, TimeLimit, ToolFailure};

/// The most bytes that one host call or the result may copy out of a guest.
const MAX_COPY: usize = 32 << 20;

/// The guest has computed for as long as it may.
#[derive(Debug, thiserror::Error)]
#[error("out of computing time")]
struct OutOfTime;

/// Counts what one guest uses up.
pub struct Meter {
    limiter: Limiter,
    ticks: u64,
    ticks_left: u64,
}

impl Meter {
    /// Of a guest that has used nothing yet.
    pub fn new(shape: Shape, limits: &Limits) -> Self {
        let ticks = limits.cpu.as_nanos().div_ceil(TICK.as_nanos()).max(1) as u64;
        Self { limiter: Limiter::new(shape, limits.memory_bytes), ticks, ticks_left: ticks }
    }

    /// How long it has computed.
    pub fn cpu(&self) -> Duration {
        let ticks = u32::try_from(self.ticks.saturating_sub(self.ticks_left)).unwrap_or(u32::MAX);
        TICK.saturating_mul(ticks)
    }

    /// Bytes of memory that it has.
    pub fn memory_bytes(&self) -> usize {
        self.limiter.used()
    }

    fn tick(&mut self) -> Result<(), OutOfTime> {
        self.ticks_left = self.ticks_left.checked_sub(1).ok_or(OutOfTime)?;
        Ok(())
    }
}

/// What a store can hold: the data of a guest that is counted.
pub trait Metered: 'static {
    /// The count.
    fn meter(&self) -> &Meter;
    /// The count, to be changed.
    fn meter_mut(&mut self) -> &mut Meter;
}

/// A store whose guest is bounded. The epoch must be advancing while it runs.
pub fn store<T: Metered>(engine: &Engine, state: T, limits: &Limits) -> Store<T> {
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.meter_mut().limiter);
    store.set_hostcall_fuel(MAX_COPY.min(limits.memory_bytes));
    // Time spent waiting for the host costs one tick at most, because the epoch is looked at
    // only in guest code; and a guest that computes lets others run after every tick.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().meter_mut().tick()?;
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

/// Says in plain words why the engine gave up on a guest.
pub fn failure<T: Metered>(
    error: &wasmtime::Error,
    store: &Store<T>,
    limits: &Limits,
    streams: &Streams,
) -> ToolFailure {
    if error.is::<OutOfTime>() {
        return ToolFailure::Timeout { kind: TimeLimit::Cpu, limit: limits.cpu };
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return ToolFailure::Trapped(format!("it ended itself with exit code {code}"));
    }
    if store.data().meter().limiter.refused_memory() {
        return ToolFailure::OutOfMemory { limit: limits.memory_bytes };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => ToolFailure::Trapped("its call stack overflowed".to_owned()),
        Some(Trap::UnreachableCodeReached) => ToolFailure::Trapped(
            panic_message(streams).unwrap_or_else(|| "it reached code that must not be reached".to_owned()),
        ),
        Some(trap) => ToolFailure::Trapped(trap.to_string()),
        // A host call refused to go on: too many handles, too many bytes at once.
        None => ToolFailure::Trapped(error.root_cause().to_string()),
    }
}

/// What a panicking Rust guest wrote to standard error: a line with the place, then the message.
fn panic_message(streams: &Streams) -> Option<String> {
    const SHOWN: usize = 500;
    let (text, _) = streams.stderr.text();
    let (_, report) = text.rsplit_once("panicked at ")?;
    let message = report.lines().nth(1)?.trim();
    Some(format!("panic: {}", message.chars().take(SHOWN).collect::<String>()))
}
