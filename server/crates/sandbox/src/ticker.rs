//! The one thread that advances the engine's epoch, by which guest code is interrupted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Duration;

use wasmtime::Engine;

/// The length of an epoch.
pub const TICK: Duration = Duration::from_millis(10);

/// Advances the epoch while calls run, and sleeps while none does.
pub struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    active: AtomicUsize,
    stopped: AtomicBool,
}

impl Ticker {
    /// Starts the thread.
    pub fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { active: AtomicUsize::new(0), stopped: AtomicBool::new(false) });
        let (engine, of_thread) = (engine.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name("mneme-epoch".to_owned())
            .spawn(move || {
                while !of_thread.stopped.load(Ordering::SeqCst) {
                    if of_thread.active.load(Ordering::SeqCst) == 0 {
                        // A token left by `unpark` makes this return at once, so no start is missed.
                        std::thread::park();
                    } else {
                        std::thread::sleep(TICK);
                        engine.increment_epoch();
                    }
                }
            })?
            .thread()
            .clone();
        Ok(Self { shared, thread })
    }

    /// Keeps the epoch advancing until the answer is dropped.
    pub fn run(&self) -> Running<'_> {
        if self.shared.active.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running { ticker: self }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Proof that the epoch advances.
pub struct Running<'a> {
    ticker: &'a Ticker,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.ticker.shared.active.fetch_sub(1, Ordering::SeqCst);
    }
}
