//! Tells somebody who waits how long it will take: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

/// Cells of the bar.
const WIDTH: u64 = 30;

/// Waits for `work`, which usually takes `usual`.
pub async fn shown<T>(what: &str, usual: Duration, work: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let terminal = std::io::stderr().is_terminal();
    let mut ticks = tokio::time::interval(if terminal { Duration::from_millis(500) } else { Duration::from_secs(15) });
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                let end = if terminal { "\r\u{1b}[K" } else { "" };
                eprintln!("{end}{what}: done after {:.1} s", start.elapsed().as_secs_f64());
                return done;
            }
            _ = ticks.tick() => {
                let line = line(what, start.elapsed(), usual);
                if terminal {
                    eprint!("\r\u{1b}[K{line}");
                    let _ = std::io::stderr().flush();
                } else {
                    eprintln!("{line}");
                }
            }
        }
    }
}

fn line(what: &str, passed: Duration, usual: Duration) -> String {
    let (passed, usual) = (passed.as_secs(), usual.as_secs().max(1));
    let full = (passed * WIDTH / usual).min(WIDTH - 1) as usize;
    let bar = format!("{}{}", "=".repeat(full), " ".repeat(WIDTH as usize - full));
    format!("{what} [{bar}] {passed} s of about {usual} s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_is_never_full_before_the_end() {
        let at = |passed| line("x: compiling", Duration::from_secs(passed), Duration::from_secs(60));
        assert_eq!(at(0), "x: compiling [                              ] 0 s of about 60 s");
        assert_eq!(at(30), "x: compiling [===============               ] 30 s of about 60 s");
        assert_eq!(at(600), "x: compiling [============================= ] 600 s of about 60 s");
    }
}
