//! Saying too much.

use mneme_tool_sdk::{Log, tool};

/// Prints lines to standard output and to standard error.
#[tool]
pub fn shout(lines: u64) -> String {
    for line in 0..lines {
        println!("out {line}");
        eprintln!("err {line}");
    }
    lines.to_string()
}

/// Answers with that many bytes of two-byte characters.
#[tool]
pub fn answer_at_length(bytes: usize) -> String {
    "é".repeat(bytes / 2)
}

/// Writes log lines.
#[tool]
pub fn log_endlessly(log: &Log, lines: u64) -> String {
    for line in 0..lines {
        log.info(&format!("log {line}"));
    }
    lines.to_string()
}

/// Sends terminal control sequences every way there is.
#[tool]
pub fn colour(log: &Log) -> String {
    print!("\u{1b}[31mred\u{1b}[0m");
    eprint!("\u{1b}]0;title\u{7}err");
    log.info("\u{1b}[2Jlogged");
    "\u{1b}[1mbold\u{1b}[0m\0\r\n".to_owned()
}
