//! A guest sees what it was given and nothing else.

use mneme_sandbox::{CallRequest, Grants, Mount, ToolFailure};
use serde_json::json;

use crate::support::{Agent, attack, hostile, request, sandbox, tight};

#[tokio::test]
async fn the_environment_is_the_given_one() {
    let bare = attack("environment", json!({}), tight()).await;
    assert_eq!(bare.result, Ok(" []".to_owned()));

    let agent = Agent::with(&[]);
    let given =
        CallRequest { env: vec![("KEY".to_owned(), "value".to_owned())], ..request(&agent, "environment", json!({})) };
    let outcome = sandbox().call(&hostile().await, given).await;
    assert_eq!(outcome.result, Ok("KEY=value []".to_owned()));
    let next = attack("environment", json!({}), tight()).await;
    assert_eq!(next.result, Ok(" []".to_owned()));
}

#[tokio::test]
async fn there_are_no_files() {
    for path in ["/etc/passwd", "Cargo.toml", "../Cargo.toml", "/proc/self/environ", "/"] {
        let outcome = attack("read_file", json!({"path": path}), tight()).await;
        assert!(matches!(outcome.result, Err(ToolFailure::Failed(_))), "{path}: {outcome:?}");
    }
    let outcome = attack("list_root", json!({}), tight()).await;
    assert!(matches!(outcome.result, Err(ToolFailure::Failed(_))), "{outcome:?}");
}

#[tokio::test]
async fn there_is_no_network() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    for address in [address.as_str(), "169.254.169.254:80", "[::1]:1"] {
        let outcome = attack("connect", json!({"address": address}), tight()).await;
        assert!(matches!(outcome.result, Err(ToolFailure::Failed(_))), "{address}: {outcome:?}");
    }
    listener.set_nonblocking(true).expect("set");
    assert!(listener.accept().is_err(), "nothing arrived");
    let outcome = attack("resolve", json!({"host": "localhost"}), tight()).await;
    assert!(matches!(outcome.result, Err(ToolFailure::Failed(_))), "{outcome:?}");
}

#[tokio::test]
async fn nothing_survives_a_call() {
    for _ in 0..3 {
        let outcome = attack("remember", json!({}), tight()).await;
        assert_eq!(outcome.result, Ok("1".to_owned()));
    }
    let first = attack("entropy", json!({}), tight()).await.result;
    let second = attack("entropy", json!({}), tight()).await.result;
    assert!(first.is_ok() && first != second, "fresh random numbers in every call");
}

#[tokio::test]
async fn a_capability_that_was_not_declared_is_denied() {
    let agent = Agent::with(&[("notes", "private")]);
    let outcome = sandbox().call(&hostile().await, request(&agent, "overreach", json!({"label": "notes"}))).await;
    assert_eq!(
        outcome.result,
        Err(ToolFailure::Denied("this tool does not have the capability memory-write".to_owned()))
    );
    assert_eq!(agent.value("notes"), "private");
}

#[tokio::test]
async fn unknown_tools_and_broken_arguments_are_refused() {
    let agent = Agent::with(&[]);
    let guest = hostile().await;
    let outcome = sandbox().call(&guest, request(&agent, "absent", json!({}))).await;
    assert!(matches!(outcome.result, Err(ToolFailure::InvalidArguments(_))), "{outcome:?}");
    for arguments in ["{", "[]", "\"text\"", "{\"milliseconds\": \"ten\"}"] {
        let broken = CallRequest { arguments: arguments.to_owned(), ..request(&agent, "nap", json!({})) };
        let outcome = sandbox().call(&guest, broken).await;
        assert!(matches!(outcome.result, Err(ToolFailure::InvalidArguments(_))), "{arguments}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_granted_folder_is_readable_and_leads_nowhere_else() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("packages");
    std::fs::create_dir_all(folder.join("inner")).expect("made");
    std::fs::write(folder.join("inner/code.txt"), "import this").expect("written");
    std::fs::write(root.path().join("secret.txt"), "secret").expect("written");
    std::os::unix::fs::symlink(root.path().join("secret.txt"), folder.join("link")).expect("linked");
    std::os::unix::fs::symlink("../secret.txt", folder.join("relative")).expect("linked");
    std::os::unix::fs::symlink("/", folder.join("root")).expect("linked");

    let grants = || Grants { folders: vec![Mount::packages(folder.clone())], ..Grants::default() };
    let guest = hostile().await;
    let ask = async |tool: &str, path: &str| {
        let base = request(&Agent::with(&[]), tool, json!({"path": path}));
        sandbox().call(&guest, CallRequest { grants: grants(), limits: tight(), ..base }).await.result
    };
    assert_eq!(ask("read_file", "/packages/inner/code.txt").await, Ok("import this".to_owned()));
    assert_eq!(ask("list_folder", "/packages").await, Ok("inner,link,relative,root".to_owned()));
    for path in [
        "/packages/link",
        "/packages/relative",
        "/packages/root/etc/passwd",
        "/packages/../secret.txt",
        "/packages/inner/../../secret.txt",
        "/packages/inner/../../../../../etc/passwd",
        "../secret.txt",
        "/proc/self/environ",
        "/etc/passwd",
    ] {
        let answer = ask("read_file", path).await;
        assert!(matches!(answer, Err(ToolFailure::Failed(_))), "{path}: {answer:?}");
    }
    for path in ["/packages/inner/code.txt", "/packages/new.txt"] {
        let answer = ask("write_file", path).await;
        assert!(matches!(answer, Err(ToolFailure::Failed(_))), "{path}: {answer:?}");
    }
    assert_eq!(std::fs::read_to_string(folder.join("inner/code.txt")).expect("read"), "import this");
    let gone = Grants { folders: vec![Mount::packages(root.path().join("gone"))], ..Grants::default() };
    let base = request(&Agent::with(&[]), "remember", json!({}));
    let outcome = sandbox().call(&guest, CallRequest { grants: gone, ..base }).await;
    assert!(matches!(outcome.result, Err(ToolFailure::Internal(_))), "{outcome:?}");
}
