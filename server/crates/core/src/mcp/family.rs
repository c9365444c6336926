//! The processes of a server that is one, also those that left its group (setsid) or outlived their parent (daemons).
//!
//! They are known by their group, by their parents, by having been seen before, and by the mark in the environment that
//! they were started with. What clears its environment, leaves its group and loses its parent, all between two looks,
//! is not found. Where there is no /proc, a server is its group.

use std::{collections::HashSet, fs, path::Path, time::Duration};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The variable that holds a server's mark.
pub const MARK: &str = "MNEME_MCP_SERVER";
/// How often those that live are ended: they may have started others meanwhile.
const ROUNDS: usize = 50;
/// Between two rounds.
const PAUSE: Duration = Duration::from_millis(2);

/// What /proc says of a process.
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
    /// When it began, in ticks since the machine did.
    born: u64,
    pages: u64,
    /// It ended, and nobody has asked how.
    ended: bool,
}

impl Process {
    fn read(folder: &Path) -> Option<Self> {
        let pid = folder.file_name()?.to_str()?.parse().ok()?;
        let stat = fs::read(folder.join("stat")).ok()?;
        let stat = String::from_utf8_lossy(&stat);
        // The name in parentheses may hold anything; state, parent and group follow it.
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            born: fields.get(19)?.parse().ok()?,
            pages: fields.get(21)?.parse().unwrap_or_default(),
            ended: matches!(*fields.first()?, "Z" | "X"),
        })
    }
}

/// A server's processes.
pub struct Family {
    leader: Pid,
    /// When the leader began: none of them is older.
    born: u64,
    /// The mark as it is in an environment.
    mark: String,
    /// Those of the last look. A number may be given to another process, but not with the same birth.
    seen: Mutex<HashSet<(i32, u64)>>,
}

impl Family {
    /// Those of a process that was just started, in a group of its own, with `mark` in its environment.
    pub fn new(leader: Pid, mark: &str) -> Self {
        let own = Process::read(Path::new(&format!("/proc/{}", leader.as_raw_nonzero())));
        let born = own.map_or(0, |process| process.born);
        Self { leader, born, mark: format!("{MARK}={mark}"), seen: Mutex::default() }
    }

    fn marked(&self, pid: i32) -> bool {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == self.mark.as_bytes())
    }

    /// Looks who there is now.
    fn look(&self) -> Vec<Process> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let mut processes: Vec<Process> = entries.flatten().filter_map(|entry| Process::read(&entry.path())).collect();
        processes.retain(|process| process.born >= self.born);
        let leader = self.leader.as_raw_nonzero().get();
        let mut seen = self.seen.lock();
        let known = |process: &&Process| {
            process.group == leader
                || (process.pid, process.born) == (leader, self.born)
                || seen.contains(&(process.pid, process.born))
                || self.marked(process.pid)
        };
        let mut ours: HashSet<i32> = processes.iter().filter(known).map(|process| process.pid).collect();
        loop {
            let child = |process: &&Process| ours.contains(&process.parent) && !ours.contains(&process.pid);
            let more: Vec<i32> = processes.iter().filter(child).map(|process| process.pid).collect();
            if more.is_empty() {
                break;
            }
            ours.extend(more);
        }
        processes.retain(|process| ours.contains(&process.pid));
        *seen = processes.iter().map(|process| (process.pid, process.born)).collect();
        processes
    }

    /// How many there are, and their memory in bytes. Where there is no /proc, nothing is known.
    pub fn taken(&self) -> (usize, u64) {
        let page = rustix::param::page_size() as u64;
        let processes = self.look();
        (processes.len(), processes.iter().map(|process| process.pages * page).sum())
    }

    /// Asks the group to end.
    pub fn ask(&self) {
        let _ = kill_process_group(self.leader, Signal::TERM);
    }

    /// Ends all of them. Blocks for some milliseconds.
    pub fn end(&self) {
        // Before any of them goes, for parents know their children.
        let mut living = self.look();
        let _ = kill_process_group(self.leader, Signal::KILL);
        for _ in 0..ROUNDS {
            living.retain(|process| !process.ended);
            if living.is_empty() {
                return;
            }
            for pid in living.iter().filter_map(|process| Pid::from_raw(process.pid)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            std::thread::sleep(PAUSE);
            living = self.look();
        }
        tracing::warn!(processes = living.len(), "processes of a stdio MCP server are still there");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        os::unix::process::CommandExt,
        process::{Command, Stdio},
        time::Instant,
    };

    use super::*;

    fn process(pid: i32) -> Option<Process> {
        Process::read(Path::new(&format!("/proc/{pid}"))).filter(|process| !process.ended)
    }

    fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(20), "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The first one keeps the mark and loses its parent at once, the second one has no environment and was seen.
    #[test]
    fn what_left_its_group_and_its_parent_is_ended_with_the_others() {
        let script =
            "setsid sh -c 'sleep 600 >/dev/null & echo $!'; env -i setsid sleep 600 >/dev/null & echo $!; read line";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).env(MARK, "family-test").process_group(0);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let leader = i32::try_from(child.id()).unwrap();
        let family = Family::new(Pid::from_raw(leader).unwrap(), "family-test");
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut next = || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            line.trim().parse::<i32>().unwrap()
        };
        let (marked, bare) = (next(), next());
        wait_until("they leave the group", || {
            [marked, bare].iter().all(|pid| process(*pid).is_some_and(|process| process.group != leader))
        });
        wait_until("the environment is cleared", || !family.marked(bare));
        let found: HashSet<i32> = family.look().iter().map(|process| process.pid).collect();
        assert!([leader, marked, bare].iter().all(|pid| found.contains(pid)), "{found:?}");

        child.stdin.take().unwrap().write_all(b"\n").unwrap();
        child.wait().unwrap();
        assert!([marked, bare].iter().all(|pid| process(*pid).is_some()), "they outlive it");
        family.end();
        wait_until("they are ended", || [marked, bare].iter().all(|pid| process(*pid).is_none()));
    }
}
