//! Files and folders that belong to the server's user alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

const OTHERS_CAN_WRITE: u32 = 0o022;

/// Creates a folder for the owner only, or checks that an existing one is trustworthy: a real
/// folder, owned by this process's user, that nobody else can write to.
pub fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Err(io::Error::other("it is not a folder"));
    }
    if found.mode() & OTHERS_CAN_WRITE != 0 {
        return Err(io::Error::other("other users can write to it, and it holds native code; run `chmod go-w` on it"));
    }
    if found.uid() != own_user(path)? {
        return Err(io::Error::other("it belongs to another user"));
    }
    Ok(())
}

/// The user of this process: the owner of what it creates.
fn own_user(folder: &Path) -> io::Result<u32> {
    let probe = folder.join(temporary_name("probe"));
    let uid = create(&probe)?.metadata()?.uid();
    fs::remove_file(&probe)?;
    Ok(uid)
}

/// Writes a file that only the owner can read, all of it or nothing.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_file_name(temporary_name("write"));
    let written = create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Whatever went wrong is reported; the leftover only takes space.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Reads a file that must be readable and writable by its owner only.
pub fn read_private(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mode = file.metadata()?.mode();
    if mode & 0o077 != 0 {
        return Err(io::Error::other(format!("{} can be read by other users; delete it", path.display())));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes the oldest artefacts until all of them have no more than so many bytes together. One stays whatever it takes.
pub fn shrink(folder: &Path, most: u64, stays: &Path) -> io::Result<()> {
    let mut artefacts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "cwasm") {
            let found = entry.metadata()?;
            artefacts.push((found.modified()?, found.len(), path));
        }
    }
    let mut total: u64 = artefacts.iter().map(|(_, size, _)| size).sum();
    artefacts.sort();
    for (_, size, path) in artefacts {
        if total <= most {
            break;
        }
        if path != stays {
            // Code that is mapped somewhere stays there until nobody has it any more.
            fs::remove_file(&path)?;
            total -= size;
        }
    }
    Ok(())
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn temporary_name(purpose: &str) -> String {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    format!(".{purpose}-{process}-{number}")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("metadata").mode() & 0o777
    }

    #[test]
    fn what_is_made_is_private() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = root.path().join("a/b");
        make_private(&folder).expect("made");
        make_private(&folder).expect("found");
        assert_eq!(mode(&folder), 0o700);
        let file = folder.join("file");
        write_private(&file, b"one").expect("written");
        write_private(&file, b"two").expect("replaced");
        assert_eq!(mode(&file), 0o600);
        assert_eq!(read_private(&file).expect("read"), b"two");
        let entries = fs::read_dir(&folder).expect("listed").count();
        assert_eq!(entries, 1, "no temporary file stays");
    }

    #[test]
    fn the_oldest_artefacts_go_first_and_the_one_in_use_stays() {
        let root = tempfile::tempdir().expect("a folder");
        let path = |name: &str| root.path().join(name);
        let long_ago = std::time::SystemTime::UNIX_EPOCH;
        for (age, name) in ["a.cwasm", "b.cwasm", "c.cwasm", "key"].into_iter().enumerate() {
            write_private(&path(name), &[0; 100]).expect("written");
            let file = OpenOptions::new().append(true).open(path(name)).expect("opened");
            file.set_modified(long_ago + std::time::Duration::from_secs(age as u64)).expect("dated");
        }
        let there = || ["a.cwasm", "b.cwasm", "c.cwasm", "key"].map(|name| path(name).exists());
        shrink(root.path(), 300, &path("a.cwasm")).expect("nothing to do");
        assert_eq!(there(), [true; 4]);
        shrink(root.path(), 200, &path("a.cwasm")).expect("shrunk");
        assert_eq!(there(), [true, false, true, true]);
        shrink(root.path(), 0, &path("c.cwasm")).expect("shrunk");
        assert_eq!(there(), [false, false, true, true]);
    }

    #[test]
    fn what_others_can_change_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let open = root.path().join("open");
        fs::create_dir(&open).expect("made");
        fs::set_permissions(&open, fs::Permissions::from_mode(0o770)).expect("opened");
        assert!(make_private(&open).is_err());

        let real = root.path().join("real");
        make_private(&real).expect("made");
        let link = root.path().join("link");
        symlink(&real, &link).expect("linked");
        assert!(make_private(&link).is_err());

        let file = real.join("file");
        write_private(&file, b"x").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("opened");
        assert!(read_private(&file).is_err());
    }
}
