//! Running guest code: a fresh store, a fresh instance, one exported function, every limit on.

use wasmtime::{Engine, Store, Trap};

use crate::bindings::exports::mneme::tool::guest;
use crate::bindings::script::exports::mneme::script::interpreter;
use crate::bindings::script::{Runtime, RuntimePre};
use crate::bindings::{Tool, ToolPre};
use crate::bounds;
use crate::state::{State, Streams};
use crate::{Limits, ToolFailure};

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
        let mut store = bounds::store(engine, state, limits);
        match guest.instantiate(&mut store).await {
            Ok(exports) => Ok(Self { store, exports, limits, streams }),
            Err(error) => match bounds::failure(&error, &store, limits, streams) {
                // No trap of the guest's: there was no place in the pool, or something is missing.
                ToolFailure::Trapped(reason) if !error.is::<Trap>() => Err(ToolFailure::Internal(reason)),
                other => Err(other),
            },
        }
    }

    fn explain(&self, error: &wasmtime::Error) -> ToolFailure {
        bounds::failure(error, &self.store, self.limits, self.streams)
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
