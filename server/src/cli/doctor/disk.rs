//! The directories that the server writes to, the room that there is, and the master key.

use std::{fs, io::Write, path::Path};

use super::Finding;
use crate::{cli::services, config::Config, master_key};

/// Less than this and the server may stop working within hours.
const ENOUGH: u64 = 1 << 30;
/// Less than this and it may stop at once.
const LEAST: u64 = 100 << 20;

/// The data directory.
pub(super) fn directory(config: &Config) -> Finding {
    writable(&config.data_dir, "data_dir")
}

/// The directories that the settings put elsewhere, by the names of those settings.
pub(super) fn elsewhere(config: &Config) -> Vec<(&'static str, Finding)> {
    let named = [
        ("compiled_dir", &config.compiled_dir),
        ("packages_dir", &config.packages_dir),
        ("uploads_dir", &config.uploads_dir),
    ];
    named.into_iter().filter_map(|(setting, path)| Some((setting, writable(path.as_deref()?, setting)))).collect()
}

/// Writes a file and takes it away again.
fn writable(path: &Path, setting: &str) -> Finding {
    let fix = || format!("Make {} writable for this user, or choose another {setting}.", path.display());
    if let Err(error) = services::data_dir(path) {
        return Finding::bad(error, fix());
    }
    let probe = path.join(format!("doctor-{}", std::process::id()));
    let written = fs::File::create(&probe).and_then(|mut file| {
        file.write_all(b"probe")?;
        file.sync_all()
    });
    let removed = fs::remove_file(&probe);
    match written.and(removed) {
        Ok(()) => Finding::Good(format!("{} is writable", path.display())),
        Err(error) => Finding::bad(error, fix()),
    }
}

/// How much room the file system has for this user.
pub(super) fn space(config: &Config) -> Finding {
    match free(&config.data_dir) {
        Err(error) => Finding::Notice(format!("cannot be determined: {error}")),
        Ok(free) if free < LEAST => Finding::bad(
            format!("only {} MiB are free", free >> 20),
            "Free some space, or move data_dir to a larger disk.",
        ),
        Ok(free) if free < ENOUGH => Finding::Notice(format!("{} MiB are free; that will not last", free >> 20)),
        Ok(free) => Finding::Good(format!("{} GiB are free", free >> 30)),
    }
}

fn free(path: &Path) -> std::io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Whether secrets can be read. A missing key is made at the first start, not here.
pub(super) fn master_key(config: &Config) -> Finding {
    if config.master_key.is_some() {
        return Finding::Good("from the settings".into());
    }
    let path = config.master_key_file();
    if !path.exists() {
        return Finding::Good(format!("{} will be made at the first start", path.display()));
    }
    match master_key::read(&path) {
        Ok(_) => Finding::Good(path.display().to_string()),
        Err(error) => Finding::bad(error, "Without the right key the secrets in the database cannot be read."),
    }
}
