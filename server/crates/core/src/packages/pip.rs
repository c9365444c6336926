//! Python packages, by pip: wheels of pure Python only, so nothing of a package runs on this machine.

use std::path::{Path, PathBuf};

use mneme_domain::tool::Requirement;
use tokio::process::Command;

use super::{PackagesConfig, child};

/// The Python of the runtime.
pub const TARGET: &str = "3.14";

/// The packages that are built into the runtime, pinned.
const PINNED: &str = include_str!("../../../../../builtin-tools/runtimes/python/requirements.txt");
/// What the runtime has of its own in the place of a package, and the versions that it says it has. `pydantic-core` is the one
/// that this `pydantic` asks for.
const STAND_INS: [(&str, &str); 6] = [
    ("aiohttp", "3.13.2"),
    ("httpx", "0.28.1"),
    ("letta-client", "1.12.1"),
    ("pydantic", "2.12.0"),
    ("pydantic-core", "2.41.1"),
    ("python-dotenv", "1.1.1"),
];

/// Makes an empty wheel for each package that the runtime brings, and a list that holds pip to their versions:
/// `python -c SHELF FOLDER NAME==VERSION…`. The number behind the version puts them before the index's own of that version.
const SHELF: &str = r#"
import sys, zipfile
folder, *brought = sys.argv[1:]
for line in brought:
    name, version = line.replace("-", "_").split("==")
    info = f"{name}-{version}.dist-info/"
    with zipfile.ZipFile(f"{folder}/{name}-{version}-99-py3-none-any.whl", "w") as wheel:
        wheel.writestr(info + "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: mneme\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")
with open(f"{folder}/constraints.txt", "w") as constraints:
    constraints.writelines(line + "\n" for line in brought)
"#;

/// Packages with native code that the runtime for data science has.
const SCIENCE: [&str; 7] = ["matplotlib", "numpy", "pandas", "pillow", "scikit-learn", "scipy", "statsmodels"];

/// What the runtime brings: name and version. A tool that lists such a package gets the runtime's own, which would be imported
/// in any case, and so do packages that need it. Some of it has native parts elsewhere and could not be fetched.
fn brought() -> impl Iterator<Item = (&'static str, &'static str)> {
    let pinned = PINNED.lines().filter_map(|line| {
        let (name, version) = line.split_once("==")?;
        Some((name, version.split_whitespace().next()?))
    });
    pinned.chain(STAND_INS)
}

/// What the runtime brings, as pip reads it.
pub fn brought_lines() -> Vec<String> {
    brought().map(|(name, version)| format!("{name}=={version}")).collect()
}

/// A package's name, and what stands in brackets behind it: `httpx[http2]`.
pub fn parts(name: &str) -> (&str, Option<&str>) {
    let name = name.trim();
    name.split_once('[').map_or((name, None), |(base, extras)| (base.trim_end(), Some(extras)))
}

/// A name in the one form of its many that indexes compare.
pub fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace(['_', '.'], "-")
}

/// Whether the runtime brings a package, so that it need not be fetched. What it brings has no extras.
pub fn is_in_runtime(package: &Requirement) -> bool {
    let name = normal(parts(&package.name).0);
    brought().any(|(known, _)| known == name)
}

/// A package as pip reads it.
///
/// # Errors
/// For names and versions that are none.
pub fn line(package: &Requirement) -> Result<String, String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let plain = |name: &str| {
        edge(name.chars().next()) && edge(name.chars().last()) && name.chars().all(inner) && name.len() <= 100
    };
    let (base, extras) = parts(&package.name);
    let extras = match extras {
        None => Some(String::new()),
        Some(listed) => listed.strip_suffix(']').and_then(|listed| {
            let each: Vec<&str> = listed.split(',').map(str::trim).collect();
            each.iter().all(|extra| plain(extra)).then(|| format!("[{}]", each.join(",")))
        }),
    };
    let Some(extras) = extras.filter(|extras| plain(base) && extras.len() <= 200) else {
        return Err(format!("{:?} is no name of a Python package", package.name.trim()));
    };
    let name = format!("{base}{extras}");
    let Some(version) = package.version.as_deref().map(str::trim).filter(|version| !version.is_empty()) else {
        return Ok(name);
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-+*!,<>=~ ".contains(c);
    if version.len() > 100 || !version.chars().all(allowed) {
        return Err(format!("{version:?} is no version of a Python package"));
    }
    let exact = version.starts_with(|c: char| c.is_ascii_alphanumeric());
    Ok(if exact { format!("{name}=={version}") } else { format!("{name}{version}") })
}

/// Puts packages and what they need into a folder. What the runtime brings is not fetched for them either.
///
/// # Errors
/// Why not.
pub async fn install(python: &Path, lines: &[String], folder: PathBuf, config: &PackagesConfig) -> Result<(), String> {
    let fail = |reason: String| format!("the packages {} cannot be had{}: {reason}", lines.join(", "), hint(&reason));
    let shelf = tempfile::tempdir_in(&folder).map_err(|error| fail(error.to_string()))?;
    let mut fill = Command::new(python);
    fill.args(["-c", SHELF]).arg(shelf.path()).args(brought_lines());
    child::run(fill, &folder, config).await.map_err(fail)?;
    let held = child::run(command(python, lines, &folder, shelf.path(), true), &folder, config).await;
    match held {
        // Some package asks for another version of what the runtime brings. Most of them are content with the runtime's.
        Err(reason) if reason.contains("ResolutionImpossible") => {
            child::run(command(python, lines, &folder, shelf.path(), false), &folder, config).await
        }
        other => other,
    }
    .map_err(fail)
}

/// pip, with the wheels on the shelf before those of the index, and held to their versions or not.
fn command(python: &Path, lines: &[String], folder: &Path, shelf: &Path, held: bool) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile"])
        .args(["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"])
        .arg(format!("--python-version={TARGET}"))
        .arg("--find-links")
        .arg(shelf);
    if held {
        command.arg("--constraint").arg(shelf.join("constraints.txt"));
    }
    command.arg("--target").arg(folder).arg("--").args(lines);
    command
}

/// What an author can do about a package that pip did not find.
fn hint(reason: &str) -> String {
    let Some((_, missing)) = reason.rsplit_once("No matching distribution found for ") else { return String::new() };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name = missing.split(|c: char| !is_name(c)).next().unwrap_or_default();
    if !reason.contains("(from versions: none)") {
        return format!("; {name} has no such version of pure Python");
    }
    let instead = match SCIENCE.contains(&normal(name).as_str()) {
        true => "agents have it in run_code once `mneme runtimes install python-data` was run on the server",
        false => "check the name, or use another package or a service on the web instead",
    };
    format!("; only packages of pure Python can run in the sandbox, and there is no such {name}: {instead}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, version: Option<&str>) -> Result<String, String> {
        line(&Requirement { name: name.into(), version: version.map(str::to_owned) })
    }

    #[test]
    fn what_the_runtime_brings_is_not_fetched() {
        let names: Vec<&str> = brought().map(|(name, _)| name).collect();
        assert!(names.len() > 20, "{names:?}");
        for name in names.into_iter().chain(["PyYAML", "typing_extensions", "letta_client", "pydantic[email]"]) {
            assert!(is_in_runtime(&Requirement { name: name.into(), version: Some("1.0".into()) }), "{name}");
        }
        assert!(!is_in_runtime(&Requirement { name: "humanize".into(), version: None }));
    }

    #[test]
    fn stand_ins_are_known_under_the_version_that_they_say_they_have() {
        const PYDANTIC: &str =
            include_str!("../../../../../builtin-tools/runtimes/python/stand_ins/pydantic/__init__.py");
        const HTTPX: &str = include_str!("../../../../../builtin-tools/runtimes/python/stand_ins/httpx/client.py");
        const CLIENT: &str =
            include_str!("../../../../../builtin-tools/runtimes/python/stand_ins/letta_client/__init__.py");
        const AIOHTTP: &str =
            include_str!("../../../../../builtin-tools/runtimes/python/stand_ins/aiohttp/__init__.py");
        const DOTENV: &str = include_str!("../../../../../builtin-tools/runtimes/python/stand_ins/dotenv/__init__.py");
        for (name, source) in [
            ("pydantic", PYDANTIC),
            ("httpx", HTTPX),
            ("letta-client", CLIENT),
            ("aiohttp", AIOHTTP),
            ("python-dotenv", DOTENV),
        ] {
            let (_, version) = brought().find(|(known, _)| *known == name).unwrap();
            assert!(source.contains(&format!("= \"{version}\"")), "{name} {version}");
        }
    }

    #[test]
    fn a_package_that_is_not_there_is_named_with_what_to_do() {
        let native = "ERROR: Could not find a version that satisfies the requirement numpy>=2 (from x) (from versions: \
                      none); ERROR: No matching distribution found for numpy>=2";
        assert!(hint(native).contains("no such numpy: agents have it in run_code"), "{}", hint(native));
        let absent = native.replace("numpy>=2", "jiter<1,>=0.4.0");
        assert!(hint(&absent).contains("no such jiter: check the name"), "{}", hint(&absent));
        let old = "(from versions: 1.0, 1.1); ERROR: No matching distribution found for cowsay==9";
        assert_eq!(hint(old), "; cowsay has no such version of pure Python");
        assert_eq!(hint("fetching took longer than 120 s"), "");
    }

    #[test]
    fn packages_are_names_and_versions_and_nothing_else() {
        assert_eq!(one("cowsay", Some("6.1")).unwrap(), "cowsay==6.1");
        assert_eq!(one("ruamel.yaml", None).unwrap(), "ruamel.yaml");
        assert_eq!(one("x", Some(">=1,<2")).unwrap(), "x>=1,<2");
        assert_eq!(one("x[a, b-c]", Some("1.0")).unwrap(), "x[a,b-c]==1.0");
        for name in [
            "",
            "-r",
            "--index-url=x",
            "git+https://x",
            "../x",
            "a b",
            "a;b",
            "x @ file:///etc",
            "a\nb",
            "x[",
            "x[]",
            "x[-a]",
            "x[a]b",
        ] {
            assert!(one(name, None).is_err(), "{name}");
        }
        for version in ["1; import os", "1 @ file", "$(x)", "1\n--pre"] {
            assert!(one("x", Some(version)).is_err(), "{version}");
        }
    }
}
