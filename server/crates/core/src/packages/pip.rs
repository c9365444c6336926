//! Python packages, by pip: wheels of pure Python only, so nothing of a package runs on this machine.

use std::path::{Path, PathBuf};

use mneme_domain::tool::Requirement;
use tokio::process::Command;

use super::{PackagesConfig, child};

/// The Python of the runtime.
pub const TARGET: &str = "3.14";

/// What the runtime brings: a tool that lists it gets the runtime's own, which would be imported in any case. Some of it
/// has native parts elsewhere and could not be fetched.
const IN_RUNTIME: [&str; 22] = [
    "beautifulsoup4",
    "certifi",
    "charset-normalizer",
    "html5lib",
    "httpx",
    "idna",
    "jinja2",
    "letta-client",
    "markdown",
    "markupsafe",
    "pydantic",
    "pydantic-core",
    "python-dateutil",
    "pytz",
    "pyyaml",
    "requests",
    "six",
    "soupsieve",
    "typing-extensions",
    "tzdata",
    "urllib3",
    "webencodings",
];

/// Whether the runtime brings a package, so that it need not be fetched.
pub fn is_in_runtime(package: &Requirement) -> bool {
    let name = package.name.trim().to_ascii_lowercase().replace(['_', '.'], "-");
    IN_RUNTIME.contains(&name.as_str())
}

/// A package as pip reads it.
///
/// # Errors
/// For names and versions that are none.
pub fn line(package: &Requirement) -> Result<String, String> {
    let name = package.name.trim();
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !(edge(name.chars().next()) && edge(name.chars().last()) && name.chars().all(inner) && name.len() <= 100) {
        return Err(format!("{name:?} is no name of a Python package"));
    }
    let Some(version) = package.version.as_deref().map(str::trim).filter(|version| !version.is_empty()) else {
        return Ok(name.to_owned());
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-+*!,<>=~ ".contains(c);
    if version.len() > 100 || !version.chars().all(allowed) {
        return Err(format!("{version:?} is no version of a Python package"));
    }
    let exact = version.starts_with(|c: char| c.is_ascii_alphanumeric());
    Ok(if exact { format!("{name}=={version}") } else { format!("{name}{version}") })
}

/// Puts packages and what they need into a folder.
///
/// # Errors
/// Why not.
pub async fn install(python: &Path, lines: &[String], folder: PathBuf, config: &PackagesConfig) -> Result<(), String> {
    let mut command = Command::new(python);
    command
        .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"])
        .args(["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"])
        .arg(format!("--python-version={TARGET}"))
        .arg("--target")
        .arg(&folder)
        .arg("--")
        .args(lines);
    child::run(command, &folder, config).await.map_err(|reason| {
        let native = reason.contains("No matching distribution");
        let hint = if native { "; only packages of pure Python can run in the sandbox" } else { "" };
        format!("the packages {} cannot be had{hint}: {reason}", lines.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, version: Option<&str>) -> Result<String, String> {
        line(&Requirement { name: name.into(), version: version.map(str::to_owned) })
    }

    #[test]
    fn what_the_runtime_brings_is_not_fetched() {
        let brought = include_str!("../../../../../builtin-tools/runtimes/python/requirements.txt");
        let names: Vec<&str> = brought.lines().filter_map(|line| Some(line.split_once("==")?.0)).collect();
        assert!(names.len() > 10, "{names:?}");
        for name in names.into_iter().chain(["PyYAML", "typing_extensions", "letta_client"]) {
            assert!(is_in_runtime(&Requirement { name: name.into(), version: Some("1.0".into()) }), "{name}");
        }
        assert!(!is_in_runtime(&Requirement { name: "humanize".into(), version: None }));
    }

    #[test]
    fn packages_are_names_and_versions_and_nothing_else() {
        assert_eq!(one("cowsay", Some("6.1")).unwrap(), "cowsay==6.1");
        assert_eq!(one("ruamel.yaml", None).unwrap(), "ruamel.yaml");
        assert_eq!(one("x", Some(">=1,<2")).unwrap(), "x>=1,<2");
        for name in ["", "-r", "--index-url=x", "git+https://x", "../x", "a b", "a;b", "x @ file:///etc", "a\nb"] {
            assert!(one(name, None).is_err(), "{name}");
        }
        for version in ["1; import os", "1 @ file", "$(x)", "1\n--pre"] {
            assert!(one("x", Some(version)).is_err(), "{version}");
        }
    }
}
