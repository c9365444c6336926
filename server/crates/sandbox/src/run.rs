//! Running guest code: a fresh store, a fresh instance, one exported function, every limit on.

use wasmtime::{Engine, Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use crate::bindings::exports::mneme::tool::guest;
use crate::bindings::script::exports::mneme::script::interpreter;
use crate::bindings::script::{Runtime, RuntimePre};
use crate::bindings::{Tool, ToolPre};
use crate::state::{State, Streams};
use crate::{Limits, TimeLimit, ToolFailure};

/// The most bytes that one host call or the result may copy out of a guest.
pub const MAX_COPY: usize = 32 << 20;

/// The guest has computed for as long as it may.
#[derive(Debug, thiserror::Error)]
#[error("out of computing time")]
pub struct OutOfTime;

/// What can be instantiated: a component of one world, linked.
pub trait Instantiable: Sync {
    /// An instance's exports.
    type Exports: Send;
    /// Makes an instance.
    fn instantiate(&self, store: &mut Store<State>) -> impl Future<Output = wasmtime::Result<Self::Exports>> + Send;
}

impl Instantiable for ToolPre<State> {
    type Exports = Tool;
    async fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Tool> {
        self.instantiate_async(store).await
    }
}

impl Instantiable for RuntimePre<State> {
    type Exports = Runtime;
    async fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Runtime> {
        self.instantiate_async(store).await
    }
}

/// A guest that runs.
pub struct Instance<'a, E> {
    store: Store<State>,
    exports: E,
    limits: &'a Limits,
    streams: &'a Streams,
}

impl<'a, E> Instance<'a, E> {
    /// Instantiates a guest. The epoch must be advancing.
    pub async fn start(
        engine: &Engine,
        guest: &impl Instantiable<Exports = E>,
        state: State,
        limits: &'a Limits,
        streams: &'a Streams,
    ) -> Result<Self, ToolFailure> {
        let mut store = Store::new(engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(MAX_COPY.min(limits.memory_bytes));
        // Time spent waiting for the host costs one tick at most, because the epoch is looked at
        // only in guest code; and a guest that computes lets others run after every tick.
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            let left = &mut store.data_mut().ticks_left;
            *left = left.checked_sub(1).ok_or(OutOfTime)?;
            Ok(UpdateDeadline::Yield(1))
        });
        match guest.instantiate(&mut store).await {
            Ok(exports) => Ok(Self { store, exports, limits, streams }),
            Err(error) => match failure(&error, &store, limits, streams) {
                // No trap of the guest's: there was no place in the pool, or something is missing.
                ToolFailure::Trapped(reason) if !error.is::<Trap>() => Err(ToolFailure::Internal(reason)),
                other => Err(other),
            },
        }
    }

    fn explain(&self, error: &wasmtime::Error) -> ToolFailure {
        failure(error, &self.store, self.limits, self.streams)
    }
}

impl Instance<'_, Tool> {
    /// Calls `describe`.
    pub async fn describe(&mut self) -> Result<Vec<guest::ToolSpec>, ToolFailure> {
        let answer = self.exports.mneme_tool_guest().call_describe(&mut self.store).await;
        answer.map_err(|error| self.explain(&error))
    }

    /// Calls `call`.
    pub async fn call(&mut self, name: &str, arguments: &str) -> Result<String, ToolFailure> {
        let answer = self.exports.mneme_tool_guest().call_call(&mut self.store, name, arguments).await;
        answer.map_err(|error| self.explain(&error))?.map_err(|error| match error {
            guest::ToolError::InvalidArguments(text) => ToolFailure::InvalidArguments(text),
            guest::ToolError::Failed(text) => ToolFailure::Failed(text),
            guest::ToolError::Denied(text) => ToolFailure::Denied(text),
        })
    }
}

impl Instance<'_, Runtime> {
    /// Calls `run`.
    pub async fn run(&mut self, program: &interpreter::Program) -> Result<interpreter::Outcome, ToolFailure> {
        let answer = self.exports.mneme_script_interpreter().call_run(&mut self.store, program).await;
        answer.map_err(|error| self.explain(&error))
    }
}

/// Says in plain words why the engine gave up on a guest.
fn failure(error: &wasmtime::Error, store: &Store<State>, limits: &Limits, streams: &Streams) -> ToolFailure {
    if error.is::<OutOfTime>() {
        return ToolFailure::Timeout { kind: TimeLimit::Cpu, limit: limits.cpu };
    }
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return ToolFailure::Trapped(format!("it ended itself with exit code {code}"));
    }
    if store.data().limiter.refused_memory() {
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
