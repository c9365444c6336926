//! The pages name what is there: the folders of the map, the tests that promises rest on, the places that links lead to.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What a folder holds, without what begins with a dot.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = read.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| !name(path).starts_with('.')).collect()
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

/// The map at the beginning of ARCHITECTURE.md.
fn map() -> String {
    let page = read(&root().join("docs/ARCHITECTURE.md"));
    page.split("```").nth(1).expect("the page begins with the map").to_owned()
}

#[test]
fn everything_on_the_map_is_there() {
    /// What begins further to the right goes on with the words of the line before.
    const DEEPEST: usize = 12;
    let mut above: Vec<(usize, PathBuf)> = Vec::new();
    let (mut checked, mut missing) = (0, Vec::new());
    for line in map().lines() {
        let entry = line.trim_start();
        let depth = line.len() - entry.len();
        let mut words = entry.split_whitespace();
        let Some(first) = words.next().filter(|_| depth <= DEEPEST) else { continue };
        above.retain(|(other, _)| *other < depth);
        let folder = above.last().map_or_else(root, |(_, path)| path.clone());
        for name in std::iter::once(first).chain(words.take_while(|word| word.ends_with('/'))) {
            checked += 1;
            if !name.contains('*') && !folder.join(name).exists() {
                missing.push(folder.join(name));
            }
        }
        above.push((depth, folder.join(first)));
    }
    assert!(missing.is_empty(), "the map names what is not there: {missing:?}");
    assert!(checked > 70, "the map was not understood: {checked} entries");
}

#[test]
fn every_room_is_on_the_map() {
    let map = map();
    let words: HashSet<&str> = map.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')).collect();
    let mut rooms = entries(&root().join("server/crates"));
    for place in ["server/src", "server/crates/domain/src", "server/crates/core/src", "server/crates/store/src"] {
        rooms.extend(entries(&root().join(place)));
    }
    for place in ["server/crates/llm/src", "server/crates/sandbox/src", "server/crates/toolsource/src"] {
        rooms.extend(entries(&root().join(place)));
    }
    rooms.retain(|path| path.is_dir());
    let unnamed: Vec<&PathBuf> = rooms.iter().filter(|path| !words.contains(name(path).as_str())).collect();
    assert!(unnamed.is_empty(), "the map lacks {unnamed:?}");
    assert!(rooms.len() > 60, "{rooms:?}");
}

/// All Rust below a folder.
fn sources(folder: &Path, into: &mut String) {
    for path in entries(folder) {
        if path.is_dir() {
            if !["target", "node_modules"].contains(&name(&path).as_str()) {
                sources(&path, into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&read(&path));
        }
    }
}

#[test]
fn the_tests_of_every_promise_are_there() {
    let mut code = String::new();
    for folder in ["server", "tests", "builtin-tools", "fuzz"] {
        sources(&root().join(folder), &mut code);
    }
    let words: HashSet<&str> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let (mut checked, mut missing) = (0, Vec::new());
    for line in read(&root().join("docs/SECURITY.md")).lines().filter(|line| line.starts_with("| ")) {
        let tested = line.trim_end_matches([' ', '|']).rsplit(" | ").next().unwrap_or_default();
        for quoted in tested.split('`').skip(1).step_by(2) {
            let is_there = match quoted.split_once('/') {
                Some(("core" | "store" | "llm" | "sandbox", _)) => root().join("server/crates").join(quoted).exists(),
                Some(_) => root().join(quoted).exists(),
                // The rest of a name that was given before, on the other database.
                None => words.contains(quoted) || quoted.starts_with('…'),
            };
            checked += 1;
            if !is_there {
                missing.push(quoted.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "SECURITY.md names what is not there: {missing:?}");
    assert!(checked > 100, "the page was not understood: {checked} names");
}

#[test]
fn links_lead_somewhere() {
    let mut pages: Vec<PathBuf> = ["", "docs", "docs/providers", "tool-sdk", "wit", "examples"]
        .iter()
        .flat_map(|folder| entries(&root().join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    let (mut checked, mut broken) = (0, Vec::new());
    for page in &pages {
        let text = read(page);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.starts_with("http") {
                continue;
            }
            checked += 1;
            if !page.with_file_name(target).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere: {broken:?}");
    assert!(checked > 30, "{checked} links in {} pages", pages.len());
}
