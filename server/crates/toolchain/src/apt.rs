//! Debian's package tools, which need no rights of root as they are used here: nothing is installed, and the lists of
//! packages are fetched into a folder of ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fail::{self, Done, Failure};

/// The packages that Debian offers.
pub struct Apt {
    /// Where the lists of them are; the machine's own where none.
    lists: Option<PathBuf>,
}

impl Apt {
    /// With lists fetched into a folder, because the machine's may be of a time when `package` was older, and only root
    /// may renew those. With the machine's where the fresh ones do not have the package.
    pub fn with_lists(folder: &Path, package: &str) -> Done<Self> {
        for needed in [folder.join("partial"), folder.join("cache/archives/partial")] {
            fs::create_dir_all(&needed).map_err(Failure::at(&needed))?;
        }
        let fresh = Self { lists: Some(folder.to_owned()) };
        // It also fails for another vendor's list, which is of no interest here.
        let updated = fail::output(fresh.command("apt-get").args(["update", "--quiet"]));
        if fresh.dependencies(package).is_ok() {
            return Ok(fresh);
        }
        let own = Self { lists: None };
        match own.dependencies(package) {
            Ok(_) => Ok(own),
            Err(failure) => {
                let reason = updated.err().unwrap_or(failure);
                Err(Failure::new(format!("Debian's packages are not available either: {reason}")))
            }
        }
    }

    /// What a package depends on.
    pub fn dependencies(&self, package: &str) -> Done<Vec<String>> {
        let listed = fail::output(self.command("apt-cache").args(["depends", "--important", package]))?;
        match listed.is_empty() {
            true => Err(Failure::new(format!("there is no package {package}"))),
            false => Ok(parse_dependencies(&listed)),
        }
    }

    /// Downloads a package and says where the file is.
    pub fn download(&self, package: &str, folder: &Path) -> Done<PathBuf> {
        fail::output(self.command("apt-get").args(["download", "--quiet", package]).current_dir(folder))?;
        let prefix = format!("{package}_");
        fs::read_dir(folder)
            .map_err(Failure::at(folder))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(&prefix) && name.ends_with(".deb")
            })
            .ok_or_else(|| Failure::new(format!("apt-get did not leave a file for {package}")))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        if let Some(lists) = &self.lists {
            command.arg("-o").arg(format!("Dir::State::lists={}", lists.display()));
            command.arg("-o").arg(format!("Dir::Cache={}", lists.join("cache").display()));
        }
        command
    }
}

/// Reads `apt-cache depends`: real packages only, no alternatives and no virtual ones (`<…>`).
fn parse_dependencies(listed: &str) -> Vec<String> {
    listed
        .lines()
        .filter_map(|line| line.trim().split_once("Depends: "))
        .map(|(_, name)| name.split(':').next().unwrap_or(name).trim())
        .filter(|name| !name.starts_with('<'))
        .map(str::to_owned)
        .collect()
}

/// Whether the package is installed on this machine.
pub fn is_installed(package: &str) -> bool {
    let status = Command::new("dpkg-query").args(["--show", "--showformat=${db:Status-Status}", package]).output();
    status.is_ok_and(|output| output.stdout.starts_with(b"installed"))
}

#[cfg(test)]
mod tests {
    use super::parse_dependencies;

    #[test]
    fn dependencies_are_the_real_packages() {
        let listed = "rustc-web\n  Depends: libc6\n  PreDepends: dpkg\n  Depends: <libc-dev>\n    libc6-dev\n \
                      |Depends: gcc\n  Depends: libllvm22:amd64\n  Conflicts: rustc\n";
        assert_eq!(parse_dependencies(listed), ["libc6", "dpkg", "gcc", "libllvm22"]);
    }
}
