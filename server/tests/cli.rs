//! The binary at the command line.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

fn mneme(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mneme"));
    command.env_clear().env("HOME", home).env("MNEME_DISCOVER_LOCAL", "false").stdin(Stdio::null());
    command
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    mneme(home).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

#[test]
fn the_printed_settings_name_every_key() {
    let home = home();
    let printed = run(home.path(), &["config"]);
    assert!(printed.status.success());
    assert_eq!(text(&printed.stdout), mneme::config::render());
    assert!(!home.path().join(".mneme").exists(), "printing makes nothing");
}

#[test]
fn the_version_is_the_packages() {
    let home = home();
    assert_eq!(text(&run(home.path(), &["--version"]).stdout).trim(), format!("mneme {}", mneme::VERSION));
}

#[test]
fn an_open_address_without_a_password_is_refused_with_the_reason() {
    let home = home();
    let refused = run(home.path(), &["serve", "--host", "0.0.0.0"]);
    let error = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(error.contains("no password is set") && error.contains("LETTA_SERVER_PASSWORD"), "{error}");
    assert!(!home.path().join(".mneme").exists(), "a refused start makes nothing");
}

#[test]
fn a_port_in_use_is_told() {
    let home = home();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = run(home.path(), &["serve", "--port", &port]);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).to_lowercase().contains("in use"), "{}", text(&refused.stderr));
}

#[test]
fn migrating_twice_changes_nothing_the_second_time() {
    let home = home();
    let first = run(home.path(), &["migrate"]);
    assert!(text(&first.stdout).contains("from version 0 to "), "{}{}", text(&first.stdout), text(&first.stderr));
    let second = run(home.path(), &["migrate"]);
    assert!(second.status.success() && text(&second.stdout).contains("is up to date"), "{}", text(&second.stdout));
}

#[test]
fn the_doctor_finds_what_is_missing() {
    let home = home();
    let report = run(home.path(), &["doctor"]);
    let shown = text(&report.stdout);
    assert_eq!(report.status.code(), Some(1), "{shown}");
    assert!(shown.contains("ok    sandbox: a built-in tool ran"), "{shown}");
    assert!(shown.contains("BAD   providers: there is none") && shown.contains("OPENAI_API_KEY"), "{shown}");
    assert!(shown.contains("One thing must be fixed."), "{shown}");

    let unreachable = [("OPENAI_API_KEY", "canary"), ("OPENAI_API_BASE", "http://127.0.0.1:1/v1")];
    let report = mneme(home.path()).arg("doctor").envs(unreachable).env("MNEME_LLM_ATTEMPTS", "1").output().unwrap();
    let shown = text(&report.stdout);
    assert!(report.status.code() == Some(1) && shown.contains("BAD   provider openai"), "{shown}");
    assert!(!shown.contains("canary") && !text(&report.stderr).contains("canary"), "{shown}");

    let data = home.path().join("no-directory");
    std::fs::write(&data, "a file").unwrap();
    let report = run(home.path(), &["doctor", "--data-dir", data.to_str().unwrap()]);
    let shown = text(&report.stdout);
    assert!(report.status.code() == Some(1) && shown.contains("BAD   data directory"), "{shown}");

    let prices = home.path().join("prices.toml");
    std::fs::write(&prices, "per_tokens = 'many'").unwrap();
    let elsewhere = [("MNEME_PRICE_FILE", prices.as_path()), ("MNEME_UPLOADS_DIR", data.as_path())];
    let report = mneme(home.path()).arg("doctor").envs(elsewhere).output().unwrap();
    let shown = text(&report.stdout);
    assert!(shown.contains("BAD   prices: cannot use the prices in"), "{shown}");
    assert!(shown.contains("BAD   uploads_dir: "), "{shown}");

    let report = mneme(home.path()).arg("doctor").env("MNEME_PORT", "http").output().unwrap();
    let shown = text(&report.stdout);
    assert!(report.status.code() == Some(1) && shown.contains("BAD   settings: MNEME_PORT"), "{shown}");
}

#[test]
fn the_server_says_where_it_is_and_ends_on_a_signal() {
    let home = home();
    let port = free_port();
    let mut server = mneme(home.path())
        .args(["serve", "--port", &port])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let shown: Vec<String> = lines.by_ref().take_while(|line| !line.contains("docs")).collect();
    let shown = shown.join("\n");
    for part in [format!("http://127.0.0.1:{port}"), "mneme.db".into(), "only this machine".into(), "curl ".into()] {
        assert!(shown.contains(&part), "{part}: {shown}");
    }
    assert!(lines.any(|line| line.contains("no model provider found")), "the banner says what to do");
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap().success());
    assert!(server.wait().unwrap().success());
}
