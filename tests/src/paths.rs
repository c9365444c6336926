//! Where the harness keeps what it downloads, and small file-system helpers.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

/// `$HOME/.cache/mneme`, created when missing: downloads and build output that survive a fresh clone.
pub(crate) fn cache_dir() -> PathBuf {
    let home = std::env::var_os("HOME").expect("HOME is not set: no place for the test cache");
    let dir = PathBuf::from(home).join(".cache/mneme");
    create_dir(&dir);
    dir
}

/// Creates a directory and its parents, or panics naming the path.
pub(crate) fn create_dir(dir: &Path) {
    fs::create_dir_all(dir).unwrap_or_else(|e| panic!("cannot create {}: {e}", dir.display()));
}

/// Takes an exclusive lock between processes; it is released when the returned file is dropped.
pub(crate) fn lock(path: &Path) -> File {
    let file = File::create(path).unwrap_or_else(|e| panic!("cannot create the lock file {}: {e}", path.display()));
    file.lock().unwrap_or_else(|e| panic!("cannot lock {}: {e}", path.display()));
    file
}

/// A TCP port of the loopback interface that was free a moment ago.
///
/// Somebody else may take it before the caller does, so callers retry when their child cannot bind it.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("no free loopback port")
        .port()
}

/// FNV-1a, a short name for some content. The standard library's hashers do not promise the same values in the
/// next release.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
