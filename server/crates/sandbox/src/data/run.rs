//! Running the module: a fresh store, a fresh instance, every limit on.

use wasmtime::{Engine, InstancePre, Store};

use super::state::State;
use crate::bindings::script::exports::mneme::script::interpreter::Outcome;
use crate::bounds;
use crate::state::Streams;
use crate::{Limits, ToolFailure};

/// Runs the program of the state to its end.
///
/// # Errors
/// When it was stopped, or ended without telling what came of it.
pub async fn program(
    engine: &Engine,
    module: &InstancePre<State>,
    state: State,
    limits: &Limits,
    streams: &Streams,
) -> Result<Outcome, ToolFailure> {
    let mut store = bounds::store(engine, state, limits);
    let ended = run(&mut store, module).await;
    if let Some(told) = store.data_mut().told.take() {
        return Ok(told.into());
    }
    match ended {
        Ok(code) => Err(ToolFailure::Trapped(format!("the interpreter ended with exit code {code} and no result"))),
        Err(error) => Err(bounds::failure(&error, &store, limits, streams)),
    }
}

async fn run(store: &mut Store<State>, module: &InstancePre<State>) -> wasmtime::Result<i32> {
    let instance = module.instantiate_async(&mut *store).await?;
    instance.get_typed_func::<(), i32>(&mut *store, "run")?.call_async(store, ()).await
}
