//! The `mneme` binary.

use std::process::ExitCode;

/// Turns allocate and free much on several threads; this allocator does so faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mneme::cli::main()
}
