//! The `mneme` binary.

use std::process::ExitCode;

/// Turns allocate and free much on several threads; this allocator does so faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    keep_memory_small();
    mneme::cli::main()
}

/// The allocator asks for pages of two megabytes, of which an idle server fills a small part.
#[cfg(target_os = "linux")]
fn keep_memory_small() {
    // Some containers forbid it; then the server only takes more memory.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

#[cfg(not(target_os = "linux"))]
fn keep_memory_small() {}
