//! What the kernel knows about a process. Linux only, as the figures are.

use std::fs;
use std::time::Duration;

use crate::failure::{Failure, Result};

/// The kernel reports processor time in hundredths of a second on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// Memory of a process, in MiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Memory {
    /// All resident pages.
    pub resident: f64,
    /// Those of them that are not backed by a file.
    pub anonymous: f64,
}

/// The resident memory of a process.
pub fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).map_err(Failure::while_doing(&path))?;
    let mebibytes = |field: &str| -> Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(field));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        kibibytes.map(|kibibytes| kibibytes / 1024.0).ok_or_else(|| Failure::Broken(format!("{path} has no {field}")))
    };
    Ok(Memory { resident: mebibytes("VmRSS:")?, anonymous: mebibytes("RssAnon:")? })
}

/// The processor time that a process has used, in user and kernel mode.
pub fn processor_time(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).map_err(Failure::while_doing(&path))?;
    ticks(&text).map(|ticks| TICK * ticks).ok_or_else(|| Failure::Broken(format!("{path} cannot be read")))
}

/// The fields 14 and 15. The name in field 2 may hold spaces and brackets, so counting starts behind it.
fn ticks(stat: &str) -> Option<u32> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    Some(user + kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_look_at_itself() {
        let pid = std::process::id();
        let memory = memory(pid).expect("there is a /proc");
        assert!(memory.resident > memory.anonymous && memory.anonymous > 0.0);
        assert!(processor_time(pid).expect("there is a /proc") < Duration::from_secs(3600));
    }

    #[test]
    fn odd_names_do_not_shift_the_fields() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 500 0 3 0 250 31 0 0 20 0 3 0 1 2 3";
        assert_eq!(ticks(stat), Some(281));
        assert_eq!(ticks("nonsense"), None);
    }
}
