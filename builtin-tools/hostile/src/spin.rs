//! Using up time.

use std::hint::black_box;
use std::time::{Duration, Instant};

use mneme_tool_sdk::{Agent, Memory, ToolError, tool};

/// Computes for ever.
#[tool]
pub fn spin() -> String {
    let mut n = 0u64;
    loop {
        n = black_box(n.wrapping_add(1));
        if n == u64::MAX {
            return n.to_string();
        }
    }
}

/// Asks the host for the time, for ever.
#[tool]
pub fn spin_in_host_calls(agent: &Agent) -> String {
    while agent.now() != i64::MIN {}
    String::new()
}

/// Waits in a host call that does not come back.
#[tool]
pub fn doze(memory: &Memory, label: String) -> Result<String, ToolError> {
    Ok(memory.block(&label)?.value)
}

/// Sleeps by the clock.
#[tool]
pub fn nap(milliseconds: u64) -> String {
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(milliseconds));
    start.elapsed().as_millis().to_string()
}
