//! One hash over files, to see whether anything changed.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::fail::{Done, Failure};

/// Folders that hold results or tests, not what something is made from.
const LEFT_OUT: &[&str] = &["__pycache__", "dist", "node_modules", "target", "tests"];

/// A hash over the names and contents of files and of everything below folders, and over a note.
pub fn hash(root: &Path, inputs: &[&str], note: &str) -> Done<String> {
    let mut files = Vec::new();
    for input in inputs {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(note.as_bytes());
    for path in files {
        let name = path.strip_prefix(root).unwrap_or(&path);
        add(name.to_string_lossy().as_bytes());
        add(&fs::read(&path).map_err(Failure::at(&path))?);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Done {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(Failure::at(path))? {
        let entry = entry.map_err(Failure::at(path))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with('.') && !LEFT_OUT.contains(&&*name) {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_follows_names_and_contents_of_sources_only() {
        let root = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        };
        let now = |note: &str| hash(root.path(), &["guests", "Cargo.toml"], note).expect("hashed");
        write("Cargo.toml", "a");
        write("guests/src/lib.rs", "b");
        let first = now("");
        write("guests/dist/out.wasm", "c");
        write("guests/target/x/y", "d");
        write("guests/.stamp", "e");
        write("guests/tests/case.rs", "g");
        write("guests/__pycache__/x.pyc", "h");
        write("elsewhere", "f");
        assert_eq!(now(""), first);
        assert_ne!(now("another compiler"), first);
        write("guests/src/lib.rs", "changed");
        let second = now("");
        assert_ne!(second, first);
        write("guests/src/new.rs", "");
        assert_ne!(now(""), second);
    }

    #[test]
    fn a_missing_input_is_an_error() {
        let root = tempfile::tempdir().expect("a folder");
        let error = hash(root.path(), &["absent"], "").expect_err("missing");
        assert!(error.to_string().contains("absent"));
    }
}
