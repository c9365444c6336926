//! npm packages, bundled into one script. No script of a package runs on this machine.

use std::path::{Path, PathBuf};

use mneme_domain::tool::Requirement;
use tokio::process::Command;

use super::{PackagesConfig, child};

/// What makes one script of many.
pub const BUNDLER: &str = "esbuild@0.25.11";
/// The script.
pub const BUNDLE: &str = "bundle.js";

/// A package as npm reads it.
///
/// # Errors
/// For names and versions that are none.
pub fn line(package: &Requirement) -> Result<String, String> {
    let name = package.name.trim();
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    let known = match name.strip_prefix('@').and_then(|scoped| scoped.split_once('/')) {
        Some((scope, name)) => plain(scope) && plain(name),
        None => plain(name),
    };
    if !known || name.len() > 200 {
        return Err(format!("{name:?} is no name of an npm package"));
    }
    let version = package.version.as_deref().map(str::trim).filter(|version| !version.is_empty()).unwrap_or("latest");
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-+*^~<>= ".contains(c);
    if version.len() > 100 || !version.chars().all(allowed) {
        return Err(format!("{version:?} is no version of an npm package"));
    }
    Ok(format!("{name}@{version}"))
}

/// The imports that are modules inside of packages, such as `dayjs/plugin/utc`; sorted, each once. None climbs out.
pub fn inside(wanted: &[Requirement], imports: &[String]) -> Vec<String> {
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    let is_inside = |path: &str| {
        wanted.iter().any(|package| {
            let below = path.strip_prefix(package.name.trim()).and_then(|rest| rest.strip_prefix('/'));
            below.is_some_and(|below| below.len() <= 200 && below.split('/').all(plain))
        })
    };
    let mut found: Vec<String> = imports.iter().filter(|path| is_inside(path.as_str())).cloned().collect();
    found.sort();
    found.dedup();
    found
}

/// Fetches packages, given as npm reads them, and makes one script of them and of modules inside of them, in a folder.
///
/// # Errors
/// Why not.
pub async fn bundle(
    npm: &Path,
    wanted: &[Requirement],
    (lines, inside): (&[String], &[String]),
    folder: PathBuf,
    config: &PackagesConfig,
) -> Result<(), String> {
    let fail = |reason: String| format!("the packages {} cannot be had: {reason}", lines.join(", "));
    let unusable = |error: std::io::Error| fail(error.to_string());
    let work = tempfile::tempdir_in(&folder).map_err(unusable)?;
    std::fs::write(work.path().join("package.json"), r#"{"private":true}"#).map_err(unusable)?;
    let mut install = Command::new(npm);
    install.args([
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
    ]);
    install.arg("--").args(lines).arg(BUNDLER).current_dir(work.path());
    child::run(install, &folder, config).await.map_err(fail)?;

    let names = wanted.iter().map(|package| package.name.trim()).chain(inside.iter().map(String::as_str));
    let names = names.map(|name| serde_json::Value::from(name).to_string());
    let entries: Vec<String> = names.map(|name| format!("{name}: require({name})")).collect();
    let entry = format!("globalThis.__packages = {{ {} }};\n", entries.join(", "));
    std::fs::write(work.path().join("entry.js"), entry).map_err(unusable)?;
    let bundler = work.path().join("node_modules/esbuild/bin/esbuild");
    let mut make = Command::new(bundler);
    make.args(["entry.js", "--bundle", "--minify", "--format=iife", "--platform=browser", "--target=es2022"]);
    make.args(["--log-level=error", "--define:global=globalThis", "--line-limit=0"]);
    make.arg(format!("--outfile={}", folder.join(BUNDLE).display())).current_dir(work.path());
    child::run(make, &folder, config).await.map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_names_and_versions_and_nothing_else() {
        let one = |name: &str, version: Option<&str>| {
            line(&Requirement { name: name.into(), version: version.map(str::to_owned) })
        };
        assert_eq!(one("dayjs", Some("1.11.0")).unwrap(), "dayjs@1.11.0");
        assert_eq!(one("@scope/name", None).unwrap(), "@scope/name@latest");
        for name in ["", "-g", "git+ssh://x", "../x", "file:x", "a/b", "@a/b/c", "a b", "http://x"] {
            assert!(one(name, None).is_err(), "{name}");
        }
        assert!(one("x", Some("file:../y")).is_err() && one("x", Some("npm:evil")).is_err());
    }

    #[test]
    fn modules_inside_of_packages_are_found_and_lead_nowhere_else() {
        let wanted = ["dayjs", "@scope/name"].map(|name| Requirement { name: name.into(), version: None });
        let imports = ["dayjs/plugin/utc", "dayjs", "@scope/name/deep.js", "dayjs/plugin/utc", "dayjsx/a", "other/a"];
        let harm =
            ["dayjs/../../../etc/passwd", "dayjs//etc", "dayjs/", "dayjs/.x", "dayjs/a?b", "/etc/passwd", "dayjs/a\n"];
        let imports: Vec<String> = imports.iter().chain(&harm).map(|path| (*path).to_owned()).collect();
        assert_eq!(inside(&wanted, &imports), ["@scope/name/deep.js", "dayjs/plugin/utc"]);
    }
}
