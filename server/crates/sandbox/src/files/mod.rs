//! Files that a program may work on within one call: folders of its own, bounded in bytes and entries, gone with the
//! call.

mod preview1;
mod preview2;

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustix::io::Errno;
use tempfile::TempDir;

pub use preview1::{Preview1, bound as bound_preview1};
pub use preview2::{Files, bound as bound_preview2};

/// Where a program finds its folder.
pub const AT: &str = "/files";
/// Where a program finds its folder for temporary files, which every program in Python has.
pub const TEMPORARY_AT: &str = "/tmp";
/// What a program may write there when it has no folder of the other kind, in bytes.
pub const TEMPORARY_BYTES: u64 = 16 << 20;
/// Files and folders that one call may make.
const MAX_ENTRIES: u32 = 4_096;

/// What a call may still write. Clones share it.
#[derive(Debug, Clone)]
pub struct Allowance {
    left: Arc<Left>,
}

#[derive(Debug)]
struct Left {
    bytes: AtomicU64,
    entries: AtomicU32,
}

impl Allowance {
    /// So many bytes. What is written over counts again.
    pub fn new(bytes: u64) -> Self {
        let entries = AtomicU32::new(if bytes == 0 { 0 } else { MAX_ENTRIES });
        Self { left: Arc::new(Left { bytes: AtomicU64::new(bytes), entries }) }
    }

    /// Takes bytes, all or none.
    ///
    /// # Errors
    /// As a full disk, when fewer are left.
    pub fn take(&self, bytes: u64) -> io::Result<()> {
        let taken = self.left.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        taken.map(drop).map_err(|_| Errno::NOSPC.into())
    }

    /// Takes the right to make one file or folder.
    ///
    /// # Errors
    /// As a full disk.
    pub fn take_entry(&self) -> io::Result<()> {
        let left = &self.left.entries;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        taken.map(drop).map_err(|_| Errno::NOSPC.into())
    }
}

/// The folder of one call. Dropping it removes the folder, off the threads that run guests.
#[derive(Debug)]
pub struct Scratch {
    folder: Option<TempDir>,
}

impl Scratch {
    /// A new, empty folder below `root`, which is made if it is not there. Folders that processes left behind when
    /// they were killed are removed on the way.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(root: &Path) -> io::Result<Self> {
        if !root.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(root)?;
        }
        let prefix = format!("{}.", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(root)?;
        Ok(Self { folder: Some(folder) })
    }

    /// Where it is on this machine.
    pub fn path(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), TempDir::path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let Some(folder) = self.folder.take() else { return };
        let remove = move || {
            if let Err(error) = folder.close() {
                tracing::warn!(%error, "the folder of a program cannot be removed");
            }
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

/// Removes the folders of processes that are gone. What cannot be removed is left for the next time.
pub fn sweep(root: &Path) {
    let Ok(entries) = std::fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let owner = path.file_name().and_then(|name| name.to_str()?.split('.').next()?.parse::<u32>().ok());
        let alive = |id: u32| id == std::process::id() || PathBuf::from(format!("/proc/{id}")).exists();
        if owner.is_some_and(|id| !alive(id)) {
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_is_used_up() {
        let allowance = Allowance::new(10);
        let other = allowance.clone();
        assert!(allowance.take(6).is_ok());
        assert_eq!(other.take(5).map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
        assert!(other.take(4).is_ok());
        assert!(allowance.take(0).is_ok() && allowance.take(1).is_err());
        assert!((0..MAX_ENTRIES).all(|_| allowance.take_entry().is_ok()) && allowance.take_entry().is_err());
        assert!(Allowance::new(0).take_entry().is_err());
    }

    #[test]
    fn a_folder_goes_with_its_call_and_those_of_the_dead_go_too() {
        let root = tempfile::tempdir().expect("a folder");
        let path = {
            let scratch = Scratch::new(root.path()).expect("made");
            std::fs::write(scratch.path().join("a"), "x").expect("written");
            scratch.path().to_owned()
        };
        assert!(!path.exists());
        // No process has this number.
        let left = root.path().join("4294967294.abc");
        std::fs::create_dir(&left).expect("made");
        std::fs::create_dir(root.path().join("notes")).expect("made");
        let own = Scratch::new(root.path()).expect("made");
        sweep(root.path());
        assert!(!left.exists() && own.path().exists() && root.path().join("notes").exists());
    }
}
