//! Packages that users' tools need. Each list of packages is resolved once into a folder named after its content, which
//! is never changed again; tools see it read-only.

mod child;
mod fetched;
mod folder;
#[cfg(test)]
mod hostile;
mod npm;
mod pip;

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

pub use fetched::versions;
use mneme_domain::tool::Requirement;
use parking_lot::Mutex;
pub use pip::is_in_runtime;
use tokio::sync::Mutex as AsyncMutex;

/// The most packages that one tool can list.
const MAX_PACKAGES: usize = 50;

/// How packages are fetched.
#[derive(Debug, Clone)]
pub struct PackagesConfig {
    /// Where they are kept.
    pub folder: PathBuf,
    /// The Python program whose pip fetches packages. None: tools with packages are refused.
    pub python: Option<PathBuf>,
    /// The npm program. None: tools with packages are refused.
    pub npm: Option<PathBuf>,
    /// How long fetching may take.
    pub timeout: Duration,
    /// The size of one list's packages together, in bytes.
    pub max_bytes: u64,
}

impl Default for PackagesConfig {
    fn default() -> Self {
        Self {
            folder: std::env::temp_dir().join("mneme-packages"),
            python: Some("python3".into()),
            npm: Some("npm".into()),
            timeout: Duration::from_secs(120),
            max_bytes: 100 << 20,
        }
    }
}

/// Fetches packages.
pub struct Packages {
    config: PackagesConfig,
    /// One fetch at a time for each list.
    seats: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
}

impl Packages {
    /// Nothing is fetched yet.
    pub fn new(config: PackagesConfig) -> Self {
        Self { config, seats: Mutex::new(HashMap::new()) }
    }

    fn seat(&self, key: &str) -> Arc<AsyncMutex<()>> {
        self.seats.lock().entry(key.to_owned()).or_default().clone()
    }

    /// The folder with these Python packages, fetched first if need be.
    ///
    /// # Errors
    /// Why they cannot be had, for the tool's author.
    pub async fn python(&self, wanted: &[Requirement]) -> Result<PathBuf, String> {
        let Some(python) = &self.config.python else {
            return Err("this server fetches no Python packages for tools".into());
        };
        let lines = lines(wanted, pip::line)?;
        let key = folder::key("python", pip::TARGET, &[lines.as_slice(), pip::brought_lines().as_slice()].concat());
        let place = self.config.folder.join(&key);
        let seat = self.seat(&key);
        let _seat = seat.lock().await;
        if place.is_dir() {
            return Ok(place);
        }
        folder::fill(&place, |part| pip::install(python, &lines, part, &self.config)).await?;
        Ok(place)
    }

    /// The JavaScript that puts these npm packages where `require` finds them, fetched first if need be. Of `imports`, those
    /// that are modules inside of the packages can be had as well.
    ///
    /// # Errors
    /// Why they cannot be had, for the tool's author.
    pub async fn npm(&self, wanted: &[Requirement], imports: &[String]) -> Result<String, String> {
        let Some(npm) = &self.config.npm else { return Err("this server fetches no npm packages for tools".into()) };
        let lines = lines(wanted, npm::line)?;
        let inside = npm::inside(wanted, imports);
        let key = folder::key("npm", npm::BUNDLER, &[lines.as_slice(), inside.as_slice()].concat());
        let place = self.config.folder.join(&key);
        let seat = self.seat(&key);
        let _seat = seat.lock().await;
        if !place.is_dir() {
            folder::fill(&place, |part| {
                npm::bundle(npm, wanted, (lines.as_slice(), inside.as_slice()), part, &self.config)
            })
            .await?;
        }
        let bundle = place.join(npm::BUNDLE);
        tokio::fs::read_to_string(&bundle).await.map_err(|error| format!("the packages cannot be read: {error}"))
    }
}

/// The packages in a fetcher's words, sorted, each once.
fn lines(wanted: &[Requirement], line: fn(&Requirement) -> Result<String, String>) -> Result<Vec<String>, String> {
    if wanted.len() > MAX_PACKAGES {
        return Err(format!("the tool lists {} packages; at most {MAX_PACKAGES} are fetched", wanted.len()));
    }
    let mut lines: Vec<String> = wanted.iter().map(line).collect::<Result<_, _>>()?;
    lines.sort();
    lines.dedup();
    Ok(lines)
}

/// Checks packages before anything is kept or fetched.
///
/// # Errors
/// For a name or version that no registry could have, such as an address or an option.
pub fn check(python: &[Requirement], npm: &[Requirement]) -> Result<(), String> {
    lines(python, pip::line)?;
    lines(npm, npm::line).map(drop)
}
