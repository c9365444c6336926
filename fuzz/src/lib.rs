//! Fuzzing of what reads strangers' bytes, on the stable toolchain: targets, and a mutator with a seed, so that every
//! finding can be repeated.
//!
//! `cargo test -p mneme-fuzz` runs each target over a few hundred inputs of fixed seeds; for longer runs there is
//! `cargo run --release -p mneme-fuzz -- <target> --seconds 600 --seed 1`.

mod mutate;
mod targets;

use std::time::{Duration, Instant};

pub use mutate::Mutator;
pub use targets::{Target, all, find};

/// How long a target may take for one input.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// When a run ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so many inputs.
    Inputs(u64),
    /// After so long.
    Time(Duration),
}

/// Feeds a target; returns how many inputs it took. The input that is being tried is kept in `trace`, where a panic or
/// a crash leaves it.
///
/// # Panics
/// When the target finds a fault, or takes longer than [`PATIENCE`].
pub fn run(target: &Target, seed: u64, until: Until, mut trace: impl FnMut(&[u8])) -> u64 {
    let mut mutator = Mutator::new(seed, target.seeds(), target.words());
    let start = Instant::now();
    let mut done = 0;
    loop {
        let over = match until {
            Until::Inputs(most) => done >= most,
            Until::Time(limit) => start.elapsed() >= limit,
        };
        if over {
            return done;
        }
        // The seeds themselves come first: they are what the mutations start from.
        let input = mutator.input(done);
        trace(&input);
        let began = Instant::now();
        target.try_one(&input);
        let took = began.elapsed();
        assert!(took < PATIENCE, "{} took {took:?} for input {done} of seed {seed}", target.name());
        done += 1;
    }
}
