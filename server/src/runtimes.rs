//! The language runtimes that are in this binary, and the folder where the sandbox finds them.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Name, SHA-256 of the component in hexadecimal, and the component, compressed.
const EMBEDDED: &[(&str, &str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/runtimes.rs"));
/// Larger than any runtime unpacks to, in bytes.
const MAX_BYTES: usize = 512 << 20;

/// The names of the runtimes in this binary.
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, ..)| *name)
}

/// Puts every runtime into a folder, where it is not there already as this binary has it.
///
/// # Errors
/// When the folder cannot be written.
pub fn unpack(folder: &Path) -> io::Result<()> {
    if EMBEDDED.is_empty() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for (name, digest, packed) in EMBEDDED {
        let stamp = folder.join(format!("{name}.sha256"));
        let file = file(folder, name);
        if file.is_file() && fs::read_to_string(&stamp).is_ok_and(|last| last == *digest) {
            continue;
        }
        let bytes = zstd::bulk::decompress(packed, MAX_BYTES)?;
        // Another server may do the same right now: each writes its own file, and the last name counts.
        let part = folder.join(format!(".{name}.{}", std::process::id()));
        fs::write(&part, bytes)?;
        fs::rename(&part, &file)?;
        fs::write(&stamp, digest)?;
    }
    Ok(())
}

/// The SHA-256 of a runtime as [`unpack`] writes it.
pub fn hash(name: &str) -> Option<[u8; 32]> {
    let (_, digest, _) = EMBEDDED.iter().find(|(known, ..)| *known == name)?;
    let mut hash = [0; 32];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digest.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(hash)
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.wasm"))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn what_is_unpacked_is_kept_and_what_is_damaged_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        unpack(folder.path()).unwrap();
        for name in names() {
            let file = file(folder.path(), name);
            let bytes = fs::read(&file).unwrap();
            assert!(bytes.starts_with(b"\0asm"), "{name}");
            assert_eq!(hash(name).unwrap()[..], Sha256::digest(&bytes)[..], "{name}");
            fs::remove_file(&file).unwrap();
        }
        unpack(folder.path()).unwrap();
        for name in names() {
            let file = file(folder.path(), name);
            assert!(file.is_file(), "{name}");
            let before = fs::metadata(&file).unwrap().modified().unwrap();
            unpack(folder.path()).unwrap();
            assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
        }
    }
}
