//! Using up memory and stack, and dying.

use std::hint::black_box;

use mneme_tool_sdk::tool;

/// Takes memory until it has that many megabytes, and touches all of it.
#[tool]
pub fn grow_memory(megabytes: usize) -> String {
    let mut held = Vec::new();
    for _ in 0..megabytes {
        held.push(vec![1u8; 1 << 20]);
    }
    black_box(&held).len().to_string()
}

/// Calls itself that many times.
#[tool]
pub fn recurse(depth: u64) -> String {
    fn down(depth: u64) -> u64 {
        let here = black_box([depth; 32]);
        match depth {
            0 => 0,
            _ => down(depth - 1) + (here[0] > 0) as u64,
        }
    }
    down(depth).to_string()
}

/// Panics.
#[tool]
pub fn crash(message: String) -> String {
    panic!("{message}")
}

/// Ends the process.
#[tool]
pub fn leave(code: i32) -> String {
    std::process::exit(code)
}

/// Opens timers and never closes them.
#[tool]
pub fn hoard_handles(count: u64) -> String {
    #[cfg(target_family = "wasm")]
    for _ in 0..count {
        std::mem::forget(wasip2::clocks::monotonic_clock::subscribe_duration(1 << 50));
    }
    count.to_string()
}

/// Asks for many random bytes at once.
#[tool]
pub fn draw_randomness(bytes: u64) -> String {
    #[cfg(target_family = "wasm")]
    black_box(wasip2::random::random::get_random_bytes(bytes));
    bytes.to_string()
}
