//! The key that encrypts secrets at rest: from the environment, or a file that is made at the first start.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rand::RngCore;

use crate::config::Config;

/// 32 secret bytes. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// The bytes. Keep them out of logs, errors and answers.
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<&MasterKey> for mneme_store::MasterKey {
    fn from(key: &MasterKey) -> Self {
        Self::new(key.0)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Reads 32 bytes in hexadecimal or base64.
pub fn parse(text: &str) -> Result<MasterKey, String> {
    let text = text.trim();
    let bytes = if text.len() == 64 { hex(text) } else { base64(text) };
    bytes
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(MasterKey)
        .ok_or_else(|| "this is not 32 bytes in hexadecimal (64 digits) or base64 (44 characters)".to_owned())
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    digits?.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

/// Standard or URL-safe alphabet, padding optional.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(32);
    let (mut bits, mut count) = (0u32, 0u8);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// The configured key, or that of the file, which is created when it is missing.
pub fn load_or_create(config: &Config) -> io::Result<MasterKey> {
    if let Some(key) = &config.master_key {
        return parse(key.reveal()).map_err(io::Error::other);
    }
    let path = config.master_key_file();
    match create(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(&path),
        made => made,
    }
}

/// Reads the file and checks that nobody else may.
pub fn read(path: &Path) -> io::Result<MasterKey> {
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        let shown = path.display();
        return Err(io::Error::other(format!("others may read the master key; run: chmod 600 {shown}")));
    }
    let bytes = fs::read(path)?;
    let wrong = || io::Error::other(format!("{} does not hold a key of 32 bytes; restore it", path.display()));
    <[u8; 32]>::try_from(bytes).map(MasterKey).map_err(|_| wrong())
}

/// A key that no one else has.
pub fn fresh() -> MasterKey {
    let mut key = [0u8; 32];
    #[expect(clippy::disallowed_methods, reason = "a secret that a test could decide would be none")]
    rand::rng().fill_bytes(&mut key);
    MasterKey(key)
}

/// Writes a fresh key. The file appears whole or not at all: a crash in between must not leave half a key behind.
fn create(path: &Path) -> io::Result<MasterKey> {
    write(path, &fresh())
}

/// Writes a key to a file that is not there yet; it appears whole or not at all.
pub fn write(path: &Path, key: &MasterKey) -> io::Result<MasterKey> {
    if path.exists() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let draft = path.with_extension(format!("new-{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(&key.0)?;
    file.sync_all()?;
    // A link, unlike a rename, does not replace the key that another process may have made meanwhile.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    linked.and_then(|()| sync_folder(path)).map(|()| key.clone())
}

/// Where the next key lies while the key is being changed.
pub fn next_file(config: &Config) -> PathBuf {
    config.master_key_file().with_extension("key.next")
}

/// Puts the next key into the place of the current one, which is gone then.
pub fn promote(config: &Config) -> io::Result<()> {
    let path = config.master_key_file();
    fs::rename(next_file(config), &path)?;
    sync_folder(&path)
}

/// Makes a change of names last through a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
