//! Places where a test lets the process die, as `kill -9` would: `MNEME_FAILPOINT=<name>:<n>` ends it at the n-th time
//! that it comes to the place. Only builds with debug assertions look.

/// Dies here, when a test wants it.
#[cfg(debug_assertions)]
pub fn hit(name: &str) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    static ARMED: OnceLock<Option<(String, AtomicU32)>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var("MNEME_FAILPOINT").ok()?;
        let (name, count) = text.split_once(':')?;
        Some((name.to_owned(), AtomicU32::new(count.parse().ok()?)))
    });
    if let Some((armed, left)) = armed
        && armed == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

/// Nothing, in builds for use.
#[cfg(not(debug_assertions))]
pub fn hit(_name: &str) {}
