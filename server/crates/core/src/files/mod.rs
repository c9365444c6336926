//! Files: folders of them, how uploads become text, and what agents see of it.

mod adopt;
mod agents;
mod embed;
mod folders;
mod ingest;
mod listing;
mod pieces;
mod prompt;
mod reader;
mod search;
mod spool;
mod sweep;
mod tools;
mod upload;
mod view;

use std::{collections::HashSet, path::PathBuf};

use mneme_domain::FileId;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

pub(crate) use adopt::{Arrivals, Arriving};
pub(crate) use folders::check_name;
pub use spool::Spool;
pub use upload::Naming;

/// Names of the tools that come and go with folders.
pub const FILE_TOOLS: [&str; 3] = ["open_files", "grep_files", "semantic_search_files"];
/// Files that an agent can name at most.
const MOST_READABLE: i64 = 10_000;
/// Documents that are read at the same time; more wait.
const PLACES: usize = 2;

/// How uploads are taken.
#[derive(Debug, Clone)]
pub struct FilesConfig {
    /// Where uploads lie until they are read.
    pub folder: PathBuf,
    /// The most bytes of one.
    pub max_bytes: usize,
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self { folder: std::env::temp_dir().join("mneme-uploads"), max_bytes: 50 << 20 }
    }
}

/// The work on uploads in this process.
pub(crate) struct FileWork {
    /// Files that are worked on here.
    busy: Mutex<HashSet<FileId>>,
    places: Semaphore,
}

impl Default for FileWork {
    fn default() -> Self {
        Self { busy: Mutex::default(), places: Semaphore::new(PLACES) }
    }
}
