//! Programs that fetch packages: limited in time and in what they may write.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{process::Command, time::Instant};

use super::{PackagesConfig, folder};

/// Between two looks at how much was written.
const LOOK: Duration = Duration::from_millis(200);
/// How much of a program's complaint is passed on, in characters.
const SHOWN: usize = 600;

/// Runs a program that writes into `folder`.
///
/// # Errors
/// What the program complained about, or the limit that it met.
pub async fn run(mut command: Command, folder: &Path, config: &PackagesConfig) -> Result<(), String> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    // The server's own secrets are no business of a package manager.
    let kept = std::env::vars_os().filter(|(name, _)| {
        let name = name.to_string_lossy();
        !["KEY", "SECRET", "TOKEN", "PASSWORD", "MNEME_", "LETTA_"].iter().any(|part| name.contains(part))
    });
    // What is unpacked on the way counts as well, and goes with the folder.
    let aside =
        tempfile::tempdir_in(folder).map_err(|error| format!("the folder for packages cannot be used: {error}"))?;
    let command = command.env_clear().envs(kept).env("TMPDIR", aside.path());
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = child.kill_on_drop(true).process_group(0).spawn();
    let child = child.map_err(|error| format!("{program} cannot be started on the server: {error}"))?;
    let group = child.id();
    let done = child.wait_with_output();
    tokio::pin!(done);
    let deadline = Instant::now() + config.timeout;
    let reason = loop {
        tokio::select! {
            output = &mut done => {
                let output = output.map_err(|error| format!("{program} failed: {error}"))?;
                if folder::size(folder) > config.max_bytes {
                    break too_large(config);
                }
                return if output.status.success() { Ok(()) } else { Err(complaint(&output.stderr)) };
            }
            () = tokio::time::sleep(LOOK) => {
                if Instant::now() > deadline {
                    break format!("fetching took longer than {} s", config.timeout.as_secs());
                }
                if folder::size(folder) > config.max_bytes {
                    break too_large(config);
                }
            }
        }
    };
    // The program's own children too.
    if let Some(group) = group.and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    Err(reason)
}

fn too_large(config: &PackagesConfig) -> String {
    format!("the packages are larger than {} MiB together", config.max_bytes >> 20)
}

/// The last lines, where package managers say what is wrong.
fn complaint(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains("notice")).collect();
    let text = lines.join("; ");
    let skipped = text.chars().count().saturating_sub(SHOWN);
    text.chars().skip(skipped).collect()
}
