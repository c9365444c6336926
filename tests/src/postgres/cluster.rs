//! One Postgres server process: its data directory, its start, its end.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand::distr::{Alphanumeric, SampleString};

use super::install::Installation;
use crate::paths;

const SUPERUSER: &str = "mneme";
const START_TIMEOUT: Duration = Duration::from_secs(60);
const START_ATTEMPTS: usize = 5;

/// Speed over safety (the data is thrown away), and room for many pools at once.
const SETTINGS: [&str; 8] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=300",
    "shared_buffers=64MB",
    "timezone=UTC",
];

/// Runs Postgres until its own standard input closes, which the kernel does for us when the test process dies,
/// however it dies. Then it stops the server at once and removes the data. `$0` is the directory to remove.
const KEEPER: &str = r#"
"$@" </dev/null &
server=$!
cat >/dev/null
kill -QUIT "$server"
wait "$server"
rm -rf "$0"
"#;

/// A running server and the directory it lives in.
#[derive(Debug)]
pub(super) struct Cluster {
    installation: Installation,
    keeper: Child,
    port: u16,
    password: String,
}

impl Cluster {
    /// Starts a server on a copy of the template cluster.
    pub(super) fn start(installation: &Installation) -> Self {
        let password = ensure_template(installation);
        let mut failures = String::new();
        for _ in 0..START_ATTEMPTS {
            let home = copy_template(installation);
            let port = paths::free_port();
            let mut keeper = spawn(installation, &home, port);
            match wait_until_ready(&mut keeper, &home) {
                Ok(()) => {
                    return Self { installation: installation.clone(), keeper, port, password };
                }
                Err(reason) => {
                    let log = fs::read_to_string(home.join("log")).unwrap_or_default();
                    failures.push_str(&format!("{reason} on port {port}:\n{log}\n"));
                    end(&mut keeper);
                }
            }
        }
        panic!("Postgres did not start in {START_ATTEMPTS} attempts:\n{failures}");
    }

    pub(super) fn create_database(&self, name: &str) {
        let output = self
            .installation
            .account
            .command(self.installation.program("createdb"))
            .args(["--host=127.0.0.1", "--no-password", "--username", SUPERUSER, "--port"])
            .args([&self.port.to_string(), name])
            .env("PGPASSWORD", &self.password)
            .output();
        expect_success("createdb", output);
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://{SUPERUSER}:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        end(&mut self.keeper);
    }
}

/// Closes the keeper's standard input and waits until it has stopped the server and tidied up.
fn end(keeper: &mut Child) {
    drop(keeper.stdin.take());
    // The keeper may be gone already; there is nothing left to do then.
    let _ = keeper.wait();
}

/// initdb takes seconds and every test binary needs a cluster, so the result is kept and copied. Returns its password.
fn ensure_template(installation: &Installation) -> String {
    let password_file = installation.root.join("template.password");
    let template = installation.root.join("template");
    let _lock = paths::lock(&installation.root.join("template.lock"));
    if let (true, Ok(password)) = (template.is_dir(), fs::read_to_string(&password_file)) {
        return password;
    }
    #[expect(clippy::disallowed_methods, reason = "a secret between this machine's processes")]
    let password = Alphanumeric.sample_string(&mut rand::rng(), 32);
    let scratch = private_dir(installation, &installation.root, "initdb-");
    let given = scratch.join("password");
    fs::write(&given, &password).expect("cannot write the password file");
    installation.account.own(&given);
    let output = installation
        .account
        .command(installation.program("initdb"))
        .args(["--encoding=UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync", "--username", SUPERUSER])
        .arg("--pwfile")
        .arg(&given)
        .arg("--pgdata")
        .arg(scratch.join("data"))
        .output();
    expect_success("initdb", output);
    if template.exists() {
        fs::remove_dir_all(&template).expect("cannot remove an old template");
    }
    fs::rename(scratch.join("data"), &template).expect("cannot move the template into place");
    fs::remove_dir_all(&scratch).expect("cannot remove the scratch directory");
    write_private(&password_file, &password);
    password
}

fn write_private(path: &Path, text: &str) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let _ = fs::remove_file(path);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .unwrap_or_else(|e| panic!("cannot create {}: {e}", path.display()));
    file.write_all(text.as_bytes()).expect("cannot write the password");
}

fn copy_template(installation: &Installation) -> PathBuf {
    let home = private_dir(installation, &std::env::temp_dir(), "mneme-pg-");
    let output = installation
        .account
        .command("cp")
        .arg("-R")
        .arg(installation.root.join("template"))
        .arg(home.join("data"))
        .output();
    expect_success("cp", output);
    let mode = Command::new("chmod").arg("700").arg(home.join("data")).output();
    expect_success("chmod", mode);
    home
}

/// A fresh directory that only the server's account can enter. The keeper removes it, not this process.
fn private_dir(installation: &Installation, parent: &Path, prefix: &str) -> PathBuf {
    let dir = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir_in(parent)
        .unwrap_or_else(|e| panic!("cannot create a directory in {}: {e}", parent.display()))
        .keep();
    installation.account.own(&dir);
    dir
}

fn spawn(installation: &Installation, home: &Path, port: u16) -> Child {
    let log = fs::File::create(home.join("log")).expect("cannot create the server's log");
    let errors = log.try_clone().expect("cannot share the log file");
    let mut command = installation.account.command("sh");
    command.args(["-c", KEEPER]).arg(home).arg(installation.program("postgres"));
    command.arg("-D").arg(home.join("data")).arg("-k").arg(home);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    // A group of its own: Ctrl-C must reach the tests, which then end the server in order.
    command.process_group(0).stdin(Stdio::piped()).stdout(log).stderr(errors);
    command.spawn().expect("cannot start Postgres")
}

/// Postgres writes its state into the last line of `postmaster.pid`.
fn wait_until_ready(keeper: &mut Child, home: &Path) -> Result<(), String> {
    let pid_file = home.join("data/postmaster.pid");
    let deadline = Instant::now() + START_TIMEOUT;
    let mut seen = false;
    while Instant::now() < deadline {
        match fs::read_to_string(&pid_file) {
            Ok(text) if text.lines().last().is_some_and(|line| line.trim() == "ready") => {
                return Ok(());
            }
            Ok(_) => seen = true,
            Err(_) if seen => return Err("Postgres ended while starting".into()),
            Err(_) => {
                let log = fs::read_to_string(home.join("log")).unwrap_or_default();
                if log.contains("FATAL") || log.contains("not found") {
                    return Err("Postgres refused to start".into());
                }
            }
        }
        if let Ok(Some(status)) = keeper.try_wait() {
            return Err(format!("Postgres' keeper ended with {status}"));
        }
        // Postgres offers no event for this; the wait is 10 ms steps over a start of about 100 ms.
        thread::sleep(Duration::from_millis(10));
    }
    Err(format!("Postgres was not ready after {START_TIMEOUT:?}"))
}

fn expect_success(program: &str, output: std::io::Result<Output>) {
    let output = output.unwrap_or_else(|e| panic!("cannot run {program}: {e}"));
    assert!(
        output.status.success(),
        "{program} failed with {}:\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
