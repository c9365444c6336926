//! The account that Postgres runs under. It refuses to run as root, so a root test process lends it another
//! existing account; everybody else runs it as themselves.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Accounts that are looked for, in this order, when the tests run as root.
const CANDIDATES: [&str; 2] = ["nobody", "postgres"];

/// Whom to become: `None` is the current user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account(Option<Ids>);

#[derive(Debug, Clone, Copy)]
struct Ids {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account for this process.
    pub(super) fn detect() -> Self {
        if !running_as_root() {
            return Self(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").expect("cannot read /etc/passwd");
        let found = CANDIDATES.iter().find_map(|name| find(&passwd, name));
        assert!(
            found.is_some(),
            "the tests run as root, Postgres refuses to, and none of the accounts {CANDIDATES:?} exists"
        );
        Self(found)
    }

    /// Whether the current user is root and files must be handed over.
    pub(super) fn is_lent(self) -> bool {
        self.0.is_some()
    }

    /// A command that runs under this account in a neutral locale and directory.
    pub(super) fn command(self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        // The working directory of the tests may be closed to the other account.
        command.current_dir("/").env("LC_ALL", "C");
        if let Some(Ids { uid, gid }) = self.0 {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Makes this account the owner of a path.
    pub(super) fn own(self, path: &Path) {
        if let Some(Ids { uid, gid }) = self.0 {
            chown(path, Some(uid), Some(gid)).unwrap_or_else(|e| panic!("cannot chown {}: {e}", path.display()));
        }
    }
}

fn running_as_root() -> bool {
    // std has no geteuid, and this crate denies unsafe code.
    let output = Command::new("id").arg("-u").output().expect("cannot run `id -u`");
    output.stdout.trim_ascii() == b"0"
}

fn find(passwd: &str, name: &str) -> Option<Ids> {
    let mut fields = passwd
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Ids { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn finds_ids_by_exact_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nnobody2:x:7:8::/:/bin/sh\nnobody:x:65534:65533::/:/bin/sh\n";
        let ids = find(passwd, "nobody").expect("nobody is listed");
        assert_eq!((ids.uid, ids.gid), (65534, 65533));
        assert!(find(passwd, "postgres").is_none());
    }
}
