//! Giving back what only the start needed.

use std::{fs, io, ops::Range, time::Duration};

/// When the start is over, in time: what is loaded behind it is there.
const SETTLED: Duration = Duration::from_secs(1);

/// Lets go of the pages of this program's file that the start touched. They count as memory of this process for as long as it lives,
/// though most are of code that runs once; what is needed again comes back from the file's cache, in less than a millisecond in all.
pub async fn after_start() {
    tokio::time::sleep(SETTLED).await;
    match tokio::task::spawn_blocking(let_go).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the start's memory is kept"),
        Err(lost) => tracing::debug!(%lost, "the start's memory is kept"),
    }
}

#[cfg(target_os = "linux")]
fn let_go() -> io::Result<()> {
    use rustix::mm::{Advice, madvise};

    let program = fs::read_link("/proc/self/exe")?;
    for range in unchanging(&fs::read_to_string("/proc/self/maps")?, &program.to_string_lossy()) {
        let start = std::ptr::without_provenance_mut(range.start);
        // SAFETY: a private mapping of a file that nobody can write to and that nothing was ever written to: what is read there next is
        // what was there.
        #[expect(unsafe_code, reason = "gives advice about memory by its address")]
        unsafe {
            madvise(start, range.len(), Advice::LinuxDontNeed)?;
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn let_go() -> io::Result<()> {
    Ok(())
}

/// The parts of the program's file that are mapped as they are: its code, and the constants in front of it. Constants elsewhere may hold
/// addresses that were written there when the program was loaded.
fn unchanging(maps: &str, program: &str) -> Vec<Range<usize>> {
    let mapping = |line: &str| {
        // Addresses, permissions, offset, device, inode, path: `proc_pid_maps(5)`.
        let mut fields = line.splitn(6, ' ');
        let (addresses, permissions, offset) = (fields.next()?, fields.next()?, fields.next()?);
        let path = fields.nth(2)?.trim_start();
        let first = offset.bytes().all(|digit| digit == b'0');
        if path != program || !(permissions == "r-xp" || permissions == "r--p" && first) {
            return None;
        }
        let (start, end) = addresses.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        Some(address(start)?..address(end)?)
    };
    maps.lines().filter_map(mapping).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_wrote_to_is_let_go() {
        let maps = "\
55d0c0000000-55d0c1000000 r--p 00000000 fe:00 1234                       /usr/local/bin/my mneme
55d0c1000000-55d0c5000000 r-xp 01000000 fe:00 1234                       /usr/local/bin/my mneme
55d0c5000000-55d0c5400000 r--p 05000000 fe:00 1234                       /usr/local/bin/my mneme
55d0c5400000-55d0c5500000 rw-p 05400000 fe:00 1234                       /usr/local/bin/my mneme
7f0000000000-7f0000100000 r-xp 00000000 fe:00 99                         /lib/libc.so.6
7f0000200000-7f0000300000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
";
        let kept = unchanging(maps, "/usr/local/bin/my mneme");
        assert_eq!(kept, [0x55d0_c000_0000..0x55d0_c100_0000, 0x55d0_c100_0000..0x55d0_c500_0000]);
    }

    #[test]
    fn a_program_goes_on_without_its_start() {
        let of_files = || {
            let status = fs::read_to_string("/proc/self/status").unwrap();
            let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
            line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
        };
        let before = of_files();
        let_go().unwrap();
        assert!(of_files() < before, "{before} kB were in memory and still are");
    }
}
