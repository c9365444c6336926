//! Running the module: a fresh store, a fresh instance, every limit on.

use wasmtime::{Engine, InstancePre, Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use super::state::State;
use crate::bindings::script::exports::mneme::script::interpreter::Outcome;
use crate::run::{MAX_COPY, OutOfTime};
use crate::{Limits, TimeLimit, ToolFailure};

/// Runs the program of the state to its end.
///
/// # Errors
/// When it was stopped, or ended without telling what came of it.
pub async fn program(
    engine: &Engine,
    module: &InstancePre<State>,
    state: State,
    limits: &Limits,
) -> Result<Outcome, ToolFailure> {
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(MAX_COPY.min(limits.memory_bytes));
    // As in `crate::run`: a guest that computes lets others run after every tick.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        let left = &mut store.data_mut().ticks_left;
        *left = left.checked_sub(1).ok_or(OutOfTime)?;
        Ok(UpdateDeadline::Yield(1))
    });
    let ended = run(&mut store, module).await;
    if let Some(told) = store.data_mut().told.take() {
        return Ok(told.into());
    }
    match ended {
        Ok(code) => Err(ToolFailure::Trapped(format!("the interpreter ended with exit code {code} and no result"))),
        Err(error) => Err(failure(&error, &store, limits)),
    }
}

async fn run(store: &mut Store<State>, module: &InstancePre<State>) -> wasmtime::Result<i32> {
    let instance = module.instantiate_async(&mut *store).await?;
    instance.get_typed_func::<(), i32>(&mut *store, "run")?.call_async(store, ()).await
}

fn failure(error: &wasmtime::Error, store: &Store<State>, limits: &Limits) -> ToolFailure {
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
        Some(trap) => ToolFailure::Trapped(trap.to_string()),
        None => ToolFailure::Trapped(error.root_cause().to_string()),
    }
}
