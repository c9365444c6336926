//! Compiled guests on disk, so that a start does not compile again.
//!
//! An artefact is native code that is mapped into this process, so the folder is trusted only
//! when nobody else can write to it, and an artefact only when it carries the right code (a MAC
//! under a key in that folder, over the component's hash and the artefact): a torn, swapped or
//! foreign file is compiled anew. What users upload never gets here uncompiled.

mod artefact;
mod folder;
mod mac;

use std::hash::{Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use wasmtime::Engine;

use crate::SandboxError;
pub use artefact::Artefact;
use mac::Key;

/// SHA-256 of a component's bytes.
pub type ContentHash = [u8; 32];

/// The hash by which a component is known.
pub fn content_hash(wasm: &[u8]) -> ContentHash {
    Sha256::digest(wasm).into()
}

/// The same of a file, without holding it in memory.
pub fn file_hash(path: &Path) -> std::io::Result<ContentHash> {
    const PIECE: usize = 1 << 20;
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash.finalize().into()),
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

/// A folder of artefacts for one engine configuration.
#[derive(Debug)]
pub struct Cache {
    root: PathBuf,
    folder: PathBuf,
    key: Key,
    /// Bytes that the artefacts may take together.
    most: Option<u64>,
}

impl Cache {
    /// Opens the cache, creating it if needed.
    pub fn open(root: &Path, engine: &Engine) -> Result<Self, SandboxError> {
        let setup = |error: std::io::Error| SandboxError::Setup(format!("cache folder {}: {error}", root.display()));
        folder::make_private(root).map_err(setup)?;
        let key = Key::open(&root.join("key")).map_err(setup)?;
        let folder = root.join(engine_name(engine));
        folder::make_private(&folder).map_err(setup)?;
        Ok(Self { root: root.to_owned(), folder, key, most: None })
    }

    /// Keeps no more than so many bytes; of what is too much, the artefacts that were not loaded for longest go.
    #[must_use]
    pub fn bounded(mut self, bytes: u64) -> Self {
        self.most = Some(bytes);
        self
    }

    /// The folder that was opened, which holds those of all engine configurations.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether there is an artefact, intact or not.
    pub fn has(&self, hash: &ContentHash) -> bool {
        self.path(hash).is_file()
    }

    /// The compiled component, if there is an intact artefact of it. The file is mapped, not read: its code takes
    /// memory only where it runs. Checking it has the file in the page cache as a side effect.
    pub fn load<A: Artefact>(&self, engine: &Engine, hash: &ContentHash) -> Option<A> {
        let path = self.path(hash);
        let file = std::fs::File::open(&path).ok()?;
        let length = file.metadata().ok()?.len();
        if !self.key.verifies(hash, file, length).unwrap_or(false) {
            tracing::warn!(path = %path.display(), "a compiled tool is damaged, compiling again");
            return None;
        }
        match artefact::deserialize(engine, &path) {
            Ok(component) => {
                self.used(&path);
                Some(component)
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a compiled tool cannot be loaded, compiling again");
                None
            }
        }
    }

    /// Keeps a compiled component.
    ///
    /// # Errors
    /// When it cannot be written, which costs time at the next start and nothing else.
    pub fn store<A: Artefact>(&self, component: &A, hash: &ContentHash) -> Result<(), String> {
        let code = component.serialize().map_err(|error| error.to_string())?;
        let artefact = self.key.signed(hash, code);
        let path = self.path(hash);
        folder::write_private(&path, &artefact).map_err(|error| format!("{}: {error}", self.folder.display()))?;
        self.used(&path);
        Ok(())
    }

    /// Notes that an artefact is in use, and makes room if there is too much. Neither may keep it from being used.
    fn used(&self, path: &Path) {
        let Some(most) = self.most else { return };
        #[expect(clippy::disallowed_methods, reason = "the age of files is told in the machine's own time")]
        let now = SystemTime::now();
        let noted = std::fs::File::options().append(true).open(path).and_then(|file| file.set_modified(now));
        if let Err(error) = noted.and_then(|()| folder::shrink(&self.folder, most, path)) {
            tracing::warn!(folder = %self.folder.display(), %error, "the compiled code of uploads cannot be kept small");
        }
    }

    fn path(&self, hash: &ContentHash) -> PathBuf {
        self.folder.join(format!("{}.cwasm", hex(hash)))
    }
}

/// A folder name for everything that an artefact depends on besides the component.
fn engine_name(engine: &Engine) -> String {
    struct Feed(Sha256);
    impl Hasher for Feed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut feed = Feed(Sha256::new_with_prefix(mac::ALGORITHM));
    engine.precompile_compatibility_hash().hash(&mut feed);
    hex(&feed.0.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
