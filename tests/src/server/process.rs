//! One run of the server's binary.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const HEALTH_TIMEOUT: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(25);
/// What the server keeps of the test's environment: where programs, caches and temporary files are, and how to log.
const INHERITED: [&str; 8] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "CARGO_TARGET_DIR",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "MNEME_COMPILED_DIR",
];

/// A child and the watchdog that kills it when the test process dies without dropping it.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    watchdog: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the binary; its output is appended to `log`.
    pub(super) fn spawn(binary: &Path, arguments: &[String], environment: &[(String, String)], log: &Path) -> Self {
        let output = File::options().create(true).append(true).open(log).expect("cannot open the server's log");
        let errors = output.try_clone().expect("cannot share the server's log");
        let mut command = Command::new(binary);
        command.args(arguments).env_clear().stdin(Stdio::null()).stdout(output).stderr(errors);
        command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let child = command.spawn().unwrap_or_else(|e| panic!("cannot start {}: {e}", binary.display()));
        let watchdog = watch(child.id());
        Self { child, watchdog, log: log.to_owned() }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Polls the health check. The error says what happened and carries the log.
    pub(super) async fn wait_until_healthy(&mut self, http: &reqwest::Client, port: u16) -> Result<(), String> {
        let url = format!("http://127.0.0.1:{port}/v1/health/");
        let deadline = Instant::now() + HEALTH_TIMEOUT;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("the server ended with {status} while starting:\n{}", self.log()));
            }
            let answer = http.get(&url).timeout(Duration::from_secs(5)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(format!("the server was not healthy after {HEALTH_TIMEOUT:?}:\n{}", self.log()))
    }

    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGKILL, and its wait. Does nothing to a child that has ended.
    pub(super) fn kill(&mut self) {
        // The watchdog goes first: were it last, the process id could belong to somebody else by then.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    pub(super) async fn terminate(&mut self, limit: Duration) -> ExitStatus {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIGTERM could not be sent");
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server ignored SIGTERM for {limit:?}:\n{}", self.log());
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A shell that waits on a pipe which the kernel closes when this process dies, and then kills the server.
fn watch(pid: u32) -> Child {
    Command::new("sh")
        .args(["-c", r#"cat >/dev/null; kill -KILL "$0" 2>/dev/null"#, &pid.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("cannot start a shell")
}
