//! Which versions were fetched, for authors who did not ask for one.

use std::path::Path;

use mneme_domain::tool::Requirement;

use super::pip::{normal, parts};

/// What the author of a tool may not know when a package lacks what they use: pip passes over versions that need native code,
/// so it may be older than they think. None when they asked for versions.
pub fn versions(folder: &Path, wanted: &[Requirement]) -> Option<String> {
    let entries = std::fs::read_dir(folder).ok()?;
    let found: Vec<(String, String)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let (name, version) = name.to_str()?.strip_suffix(".dist-info")?.rsplit_once('-')?;
            Some((normal(name), version.to_owned()))
        })
        .collect();
    let has_no_version =
        |package: &&Requirement| package.version.as_deref().is_none_or(|version| version.trim().is_empty());
    let told: Vec<String> = wanted
        .iter()
        .filter(has_no_version)
        .filter_map(|package| {
            let name = normal(parts(&package.name).0);
            let (_, version) = found.iter().find(|(known, _)| *known == name)?;
            Some(format!("{name} {version}"))
        })
        .collect();
    let all = told.join(", ");
    (!told.is_empty()).then(|| {
        format!(" (fetched: {all}, the newest that pip found without native code; ask for a version to be told what it needs)")
    })
}
