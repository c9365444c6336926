//! `mneme tools` at the command line: from nothing to a tool on a server.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mneme_tests::{Server, server::binary};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What a command said, and how it ended.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn tools(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(binary());
    command.arg("tools").args(arguments).current_dir(folder).stdin(Stdio::null());
    // Compiled code, of guests and of crates, is kept between runs of the tests.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    command.env("MNEME_DATA_DIR", kept.join("tool-commands")).env("CARGO_TARGET_DIR", kept.join("tool-build"));
    command.env_remove("MNEME_TOKEN").env_remove("MNEME_BASE_URL");
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn example(name: &str) -> String {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../examples/tools", name].iter().collect();
    assert!(path.is_file(), "{} is not there; run `cargo xtask setup`", path.display());
    path.display().to_string()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_new_tool_in_rust_builds_and_shows_what_it_asks_for() {
    let home = folder();
    let made = tools(home.path(), &["new", "convert"]);
    assert_eq!((made.code, made.out.as_str()), (Some(0), "convert\n"), "{made:?}");
    let again = tools(home.path(), &["new", "convert"]);
    assert!(again.code == Some(1) && again.err.contains("there already"), "{again:?}");

    let built = tools(home.path(), &["build", "convert"]);
    assert_eq!(built.code, Some(0), "{built:?}");
    let file = built.out.trim();
    assert!(file.ends_with("convert.wasm"), "{file}");

    let shown = tools(home.path(), &["inspect", file]);
    for part in [
        "kind: component, for mneme:tool 0.1.0",
        "convert_money",
        "needs a policy that gives: network",
        "env:RATES_API_KEY",
        "mneme:tool/memory@0.1.0",
        "\"memory_bytes\":67108864",
    ] {
        assert!(shown.out.contains(part), "{part} is not in {}", shown.out);
    }
    let denied = tools(home.path(), &["test", file, "convert_money", "--args", r#"{"amount": 1, "from": "EUR"}"#]);
    assert!(denied.code == Some(2) && denied.err.contains("denied"), "{denied:?}");
}

#[test]
fn a_tool_runs_here_as_it_does_on_a_server() {
    let home = folder();
    let run =
        |more: &[&str]| tools(home.path(), &[&["test", &example("dist/coupon.wasm"), "make_coupon"], more].concat());
    let arguments = r#"{"customer": "Ada", "percent": 20}"#;
    let made = run(&["--args", arguments, "--env", "COUPON_KEY=k"]);
    assert_eq!((made.code, made.out.len()), (Some(0), "20-0123456789\n".len()), "{made:?}");
    let failed = run(&["--args", r#"{"customer": "Ada", "percent": 99}"#, "--env", "COUPON_KEY=k"]);
    assert!(failed.code == Some(2) && failed.err.contains("percent must be between 1 and 50"), "{failed:?}");
    let without = run(&["--args", arguments]);
    assert!(without.code == Some(2) && without.err.contains("COUPON_KEY"), "{without:?}");
    for (more, hint) in [
        (&["--args", "{"][..], "--args"),
        (&["--args", "[]"], "a JSON object"),
        (&["--env", "COUPON_KEY"], "NAME=VALUE"),
        (&["--allow", "http://x"], "--allow"),
    ] {
        let wrong = run(more);
        assert!(wrong.code == Some(1) && wrong.err.contains(hint), "{more:?}: {wrong:?}");
    }
    let unknown = tools(home.path(), &["test", &example("dist/coupon.wasm"), "nothing"]);
    assert!(unknown.code == Some(1) && unknown.err.contains("make_coupon, check_coupon"), "{unknown:?}");

    let key = ["--args", r#"{"product": "Engine", "seats": 3}"#, "--env", "LICENCE_SECRET=s"];
    let plugin = tools(home.path(), &[&["test", &example("dist/licence.wasm"), "licence_key"], &key[..]].concat());
    assert!(plugin.code == Some(0) && plugin.err.contains("a key for Engine"), "{plugin:?}");
    assert_eq!(plugin.out.trim().split('-').count(), 4, "{plugin:?}");
}

#[test]
fn what_a_tool_is_can_be_read_by_programs_and_what_is_none_is_named() {
    let home = folder();
    let read = |file: &str| -> Value {
        let shown = tools(home.path(), &["inspect", "--json", file]);
        assert_eq!(shown.code, Some(0), "{shown:?}");
        serde_json::from_str(&shown.out).unwrap()
    };
    let coupon = read(&example("dist/coupon.wasm"));
    assert_eq!((&coupon["kind"], &coupon["wit_version"]), (&json!("component"), &json!("0.1.0")));
    assert_eq!(coupon["tools"][1]["asks_for"], json!(["env:COUPON_KEY"]), "{coupon}");
    let licence = read(&example("dist/licence.wasm"));
    assert_eq!((&licence["kind"], &licence["tools"][0]["schema"]["name"]), (&json!("extism"), &json!("licence_key")));
    assert!(licence["imports"].to_string().contains("extism:host/env::config_get"), "{licence}");
    assert_eq!(read(&example("signature.py"))["tools"][0]["schema"]["name"], "sign");
    let weather = read(&example("weather.ts"));
    assert_eq!(weather["tools"][0]["schema"]["parameters"]["required"], json!(["city"]), "{weather}");

    let write = |name: &str, bytes: &[u8]| {
        let path = home.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    for (file, hint) in [
        (write("a.wasm", b"junk"), "first bytes are not those of WebAssembly"),
        (write("b.wasm", b"\0asm\x01\0\0\0"), "exports no function `describe`"),
        (write("c.py", b"x = 1"), "is not a tool"),
        (write("d.txt", b""), "a .wasm, .py, .ts or .js file"),
        (home.path().join("absent.wasm").display().to_string(), "cannot read"),
    ] {
        let refused = tools(home.path(), &["inspect", &file]);
        assert!(refused.code == Some(1) && refused.err.contains(hint), "{file}: {refused:?}");
    }
    let refused = tools(home.path(), &["build", "."]);
    assert!(refused.code == Some(1) && refused.err.contains("no Cargo.toml"), "{refused:?}");
    for name in ["Big", "1st", "a-b", ""] {
        let refused = tools(home.path(), &["new", name]);
        assert!(refused.code == Some(1) && refused.err.contains("no name for a tool"), "{name}: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_of_every_kind_are_pushed() {
    let server = Server::builder().password("open sesame").start().await;
    let home = folder();
    let push = |more: &[&str]| {
        let url = server.url();
        let target = ["--server", url.as_str(), "--token", "open sesame"];
        tools(home.path(), &[&["push"], &target[..], more].concat())
    };
    for (lang, file) in [("python", "hello.py"), ("typescript", "greet.ts")] {
        let name = file.split('.').next().unwrap();
        assert_eq!(tools(home.path(), &["new", name, "--lang", lang]).out.trim(), file);
        let first = push(&[file, "--tag", "new"]);
        assert!(first.code == Some(0) && first.out.trim().ends_with(name), "{first:?}");
        assert_eq!(push(&[file]).out, first.out, "the same tool again");
    }
    std::fs::write(home.path().join("policy.json"), r#"{"env": ["LICENCE_SECRET"]}"#).unwrap();
    for (file, names) in [("dist/coupon.wasm", 2), ("dist/licence.wasm", 1)] {
        let pushed = push(&[&example(file), "--policy", "policy.json"]);
        assert_eq!((pushed.code, pushed.out.lines().count()), (Some(0), names), "{pushed:?}");
    }

    std::fs::write(home.path().join("torn.wasm"), &std::fs::read(example("dist/coupon.wasm")).unwrap()[..5000])
        .unwrap();
    std::fs::write(home.path().join("none.py"), "x = 1").unwrap();
    for (file, hint) in [("torn.wasm", "422"), ("none.py", "400"), ("absent.py", "cannot read")] {
        let refused = push(&[file]);
        assert!(refused.code == Some(1) && refused.err.contains(hint), "{refused:?}");
    }
    let url = server.url();
    let stranger = tools(home.path(), &["push", "hello.py", "--server", &url, "--token", "wrong"]);
    assert!(stranger.code == Some(1) && stranger.err.contains("401"), "{stranger:?}");
    let nobody = tools(home.path(), &["push", "hello.py", "--server", "http://127.0.0.1:9"]);
    assert!(nobody.code == Some(1) && nobody.err.contains("cannot be reached"), "{nobody:?}");
}
