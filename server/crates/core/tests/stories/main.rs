//! What agents do, told through the core's public door.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod approvals;
mod architectures;
mod background;
mod batches;
mod common;
mod context;
mod fallbacks;
mod groups;
mod hostile_models;
mod legacy;
mod meanwhile;
mod providers;
mod retrieval;
mod rules;
mod takeover;
mod turns;
mod verdicts;
