//! The side of the server: starting the compiling process and reading its verdict.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::worker::{CompileJob, REFUSED};
use super::{Source, shortened};
use crate::SandboxError;
use crate::builtin::Embedded;

/// How to start the compiling process.
pub struct Child {
    /// The program, which knows the subcommand [`CompileJob::COMMAND`].
    pub program: PathBuf,
    /// Where it puts its result.
    pub cache_dir: PathBuf,
    /// What it may take, in bytes.
    pub memory_bytes: u64,
    /// What it may compute for, on each of a few threads.
    pub timeout: Duration,
    /// What it compiles.
    pub kind: &'static str,
}

impl Child {
    /// Has a component compiled into the cache; `false` when the process could not be started or could not keep its
    /// result, so that compiling in this process is the way to go.
    ///
    /// # Errors
    /// When the component was refused or needs more than a compilation may use. Nobody should try it again then,
    /// least of all this process.
    pub async fn compile(&self, source: Source<'_>) -> Result<bool, SandboxError> {
        match self.run(source).await {
            Ok((Some(0), _)) => Ok(true),
            Ok((Some(REFUSED), reason)) => Err(SandboxError::Compile(shortened(&reason))),
            Ok((None, _)) => {
                Err(SandboxError::Compile("compiling it takes more memory or time than is allowed".to_owned()))
            }
            Ok((Some(code), reason)) => {
                let reason = shortened(&reason);
                tracing::warn!(code, reason, "the compiling process failed, compiling in the server");
                Ok(false)
            }
            Err(error) => {
                let program = self.program.display();
                tracing::warn!(%program, %error, "the compiling process cannot be started, compiling in the server");
                Ok(false)
            }
        }
    }

    /// The exit code, none after a signal, and what the process said.
    async fn run(&self, source: Source<'_>) -> io::Result<(Option<i32>, String)> {
        const MOST_SAID: u64 = 4 << 10;
        let job = CompileJob {
            cache_dir: self.cache_dir.clone(),
            memory_bytes: self.memory_bytes,
            kind: self.kind.to_owned(),
            cpu_seconds: self.timeout.as_secs().max(1) * CompileJob::THREADS as u64,
        };
        let stdin = match source {
            Source::Bytes(_) | Source::Embedded(_) => Stdio::piped(),
            Source::File(path) => File::open(path)?.into(),
        };
        let mut child = Command::new(&self.program)
            .args(job.arguments())
            // It needs none of the server's secrets.
            .env_clear()
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let mut said = Vec::new();
        let input = child.stdin.take();
        let output = child.stdout.take();
        let give = async {
            if let (Some(mut input), Source::Bytes(wasm) | Source::Embedded(Embedded { wasm, .. })) = (input, source) {
                // A process that ends early says why in another way than by a broken pipe.
                let _ = input.write_all(wasm).await;
            }
        };
        let listen = async {
            if let Some(output) = output {
                let _ = output.take(MOST_SAID).read_to_end(&mut said).await;
            }
        };
        tokio::join!(give, listen);
        let status = child.wait().await?;
        Ok((status.code(), String::from_utf8_lossy(&said).into_owned()))
    }
}
