//! The `mneme` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    mneme::cli::main()
}
