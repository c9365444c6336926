//! Compiled code on disk: quick, private, and never trusted when it was touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mneme_sandbox::{Sandbox, SandboxConfig, SandboxError};

use crate::support::hostile_bytes;

fn config(folder: &Path) -> SandboxConfig {
    SandboxConfig { cache_dir: Some(folder.to_owned()), ..SandboxConfig::default() }
}

/// The artefacts below a cache folder.
fn artefacts(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).expect("listed").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<_> = entries
        .flat_map(|path| if path.is_dir() { artefacts(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "cwasm"))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn a_second_start_loads_in_milliseconds_what_the_first_compiled() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("cache");
    let first = Sandbox::new(config(&folder)).expect("a sandbox");
    let start = Instant::now();
    let compiled = first.builtin().await.expect("compiled");
    let cold = start.elapsed();
    let stored = artefacts(&folder);
    assert!(!stored.is_empty());
    for path in stored.iter().chain([&folder.join("key")]) {
        let mode = fs::metadata(path).expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }

    let second = Sandbox::new(config(&folder)).expect("a sandbox");
    let start = Instant::now();
    let loaded = second.builtin().await.expect("loaded");
    let warm = start.elapsed();
    assert!(compiled.specs().eq(loaded.specs()));
    assert_eq!(artefacts(&folder), stored);
    println!("built-in tools: compiled in {cold:?}, loaded in {warm:?}");
    assert!(warm * 4 < cold, "compiled in {cold:?}, loaded in {warm:?}");
}

#[tokio::test]
async fn a_damaged_or_swapped_artefact_is_compiled_again() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("cache");
    let bytes = hostile_bytes();
    let load = || async {
        let sandbox = Sandbox::new(config(&folder)).expect("a sandbox");
        sandbox.load(&bytes).await.expect("it loads").tools().len()
    };
    let tools = load().await;
    let [path] = &artefacts(&folder)[..] else {
        panic!("one artefact");
    };
    let intact = fs::read(path).expect("read");

    let mut damaged = intact.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    for bad in [&damaged[..], &intact[..middle], b"", &bytes] {
        fs::write(path, bad).expect("written");
        assert_eq!(load().await, tools);
        let healed = fs::read(path).expect("read");
        assert_eq!(healed.len(), intact.len(), "it was written anew");
    }

    // An artefact with a valid code, but of another component.
    let other = Sandbox::new(config(&folder)).expect("a sandbox");
    other.builtin().await.expect("loaded");
    let foreign = artefacts(&folder).into_iter().find(|other| other != path).expect("another one");
    fs::copy(foreign, path).expect("swapped");
    assert_eq!(load().await, tools);
}

#[test]
fn a_folder_that_others_can_write_to_is_not_used() {
    let root = tempfile::tempdir().expect("a folder");
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o777)).expect("opened");
    let error = Sandbox::new(config(root.path())).map(drop).expect_err("refused");
    assert!(matches!(&error, SandboxError::Setup(text) if text.contains("chmod")), "{error}");
}

#[tokio::test]
async fn what_users_upload_is_never_taken_for_compiled_code() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("cache");
    let sandbox = Sandbox::new(config(&folder)).expect("a sandbox");
    sandbox.load(&hostile_bytes()).await.expect("it loads");
    let artefact = fs::read(&artefacts(&folder)[0]).expect("read");
    // With and without the cache's own code in front.
    for upload in [&artefact[..], &artefact[32..]] {
        let error = sandbox.load(upload).await.expect_err("refused");
        assert!(matches!(error, SandboxError::NotAComponent(_)), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_compiled_of_uploads_lies_apart_and_is_bounded() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("cache");
    let sandbox = |most| {
        let config = SandboxConfig { max_uploads_cache_bytes: most, ..config(&folder) };
        Sandbox::new(config).expect("a sandbox")
    };
    let roomy = sandbox(1 << 30);
    let empty = wat::parse_str("(component)").expect("valid text");
    roomy.load_upload(&empty).await.expect_err("no tool, though it compiles");
    let uploads = folder.join("uploads");
    assert_eq!((artefacts(&uploads).len(), artefacts(&folder).len()), (1, 1));
    let tools = roomy.load_upload(&hostile_bytes()).await.expect("it loads").tools().len();
    assert_eq!(artefacts(&uploads).len(), 2);

    let narrow = sandbox(1);
    assert_eq!(narrow.load_upload(&hostile_bytes()).await.expect("it loads").tools().len(), tools);
    assert_eq!(artefacts(&uploads).len(), 1, "only the one in use stays");
    narrow.load_upload(&empty).await.expect_err("no tool");
    assert_eq!(artefacts(&uploads).len(), 1);
    assert_eq!(narrow.load_upload(&hostile_bytes()).await.expect("compiled again").tools().len(), tools);
}
