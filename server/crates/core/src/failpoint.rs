//! Places where a test lets the process die, as `kill -9` would: `MNEME_FAILPOINT=<name>:<n>` ends it at the n-th time
//! that it comes to the place. With `:panic` behind it only what comes to the place is lost, as by a defect of ours. Only
//! builds with debug assertions look.

/// Dies here, when a test wants it.
#[cfg(debug_assertions)]
pub fn hit(name: &str) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    static ARMED: OnceLock<Option<(String, AtomicU32, bool)>> = OnceLock::new();
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var("MNEME_FAILPOINT").ok()?;
        let (name, count) = text.split_once(':')?;
        let (count, panics) = count.strip_suffix(":panic").map_or((count, false), |count| (count, true));
        Some((name.to_owned(), AtomicU32::new(count.parse().ok()?), panics))
    });
    if let Some((armed, left, panics)) = armed
        && armed == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        assert!(!panics, "the failpoint {name} was hit");
        std::process::abort();
    }
}

/// Nothing, in builds for use.
#[cfg(not(debug_assertions))]
pub fn hit(_name: &str) {}
