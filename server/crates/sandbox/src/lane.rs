//! Where guests run: an engine with its clock, and room for so many instances.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;
use wasmtime::Engine;

use crate::engine::Room;
use crate::limiter::Shape;
use crate::ticker::Ticker;
use crate::{Limits, SandboxError, TimeLimit, ToolFailure};

/// An engine and the right to use it.
pub struct Lane {
    engine: Engine,
    ticker: Ticker,
    /// One permit for each instance that there is room for.
    places: Arc<Semaphore>,
    room: Room,
}

impl Lane {
    /// Starts the engine's clock.
    pub fn new(engine: Engine, room: Room) -> Result<Self, SandboxError> {
        let ticker = Ticker::start(&engine).map_err(|error| SandboxError::Setup(error.to_string()))?;
        let places = Arc::new(Semaphore::new(room.calls.max(1) as usize));
        Ok(Self { engine, ticker, places, room })
    }

    /// The same within a room that others use as well.
    pub fn shared(self, places: Arc<Semaphore>) -> Self {
        Self { places, ..self }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What an instance may consist of.
    pub fn shape(&self) -> Shape {
        self.room.shape
    }

    /// No more memory than there is room for.
    pub fn capped(&self, mut limits: Limits) -> Limits {
        limits.memory_bytes = limits.memory_bytes.min(self.room.memory_bytes);
        limits
    }

    /// Runs guest code when there is room for an instance, for no longer than it may take.
    pub async fn within<T>(
        &self,
        limits: &Limits,
        deadline: Instant,
        work: impl Future<Output = Result<T, ToolFailure>>,
    ) -> Result<T, ToolFailure> {
        let place = tokio::time::timeout_at(deadline, self.places.acquire()).await;
        let Ok(Ok(_place)) = place else {
            return Err(ToolFailure::Internal("too many tools are running, try again later".to_owned()));
        };
        let _running = self.ticker.run();
        tokio::time::timeout_at(deadline, work)
            .await
            .unwrap_or(Err(ToolFailure::Timeout { kind: TimeLimit::Wall, limit: limits.wall }))
    }
}
