//! Folders that are complete or not there.

use std::{
    future::Future,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

/// The name of the folder for a list of packages.
pub fn key(kind: &str, target: &str, lines: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in [kind, target].into_iter().chain(lines.iter().map(String::as_str)) {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hash: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{kind}-{hash}")
}

/// Fills a folder under another name and then gives it its own, so that no half of it is ever used.
pub async fn fill<F, D>(place: &Path, work: F) -> Result<(), String>
where
    F: FnOnce(PathBuf) -> D,
    D: Future<Output = Result<(), String>>,
{
    let unusable = |error: std::io::Error| format!("the folder for packages cannot be used: {error}");
    let parent = place.parent().unwrap_or(place);
    tokio::fs::create_dir_all(parent).await.map_err(unusable)?;
    let part = tempfile::Builder::new().prefix(".part-").tempdir_in(parent).map_err(unusable)?;
    work(part.path().to_owned()).await?;
    tokio::fs::rename(part.keep(), place).await.map_err(unusable)
}

/// The size of all files in a folder, in bytes.
pub fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
