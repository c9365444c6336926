//! The runtime for data science: installed by name, once; then what `run_code` runs on.
//!
//! What needs it installed is run by `cargo test -p mneme-tests --test data_runtime -- --ignored`: the first time it is
//! fetched (100 MB) and compiled for some minutes.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::{Engine, prelude::BASE64_STANDARD};
use mneme_tests::{Provider, Reply, Server, server::binary};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

/// Where it is kept between runs of the tests: compiling it takes minutes.
fn kept() -> PathBuf {
    let home = std::env::var_os("HOME").expect("HOME is set");
    Path::new(&home).join(".cache/mneme/data-runtime")
}

fn mneme(arguments: &[&str]) -> (bool, String) {
    ran_in(&kept(), "python3", arguments)
}

fn ran_in(compiled: &Path, python: &str, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(binary());
    command.arg("runtimes").args(arguments).stdin(Stdio::null());
    command.env("MNEME_COMPILED_DIR", compiled).env("MNEME_PYTHON_COMMAND", python);
    command.env("MNEME_DATA_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("data-runtime"));
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// Installs it, unless an earlier run did.
async fn installed() {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let install = || async {
        let (ended_well, said) = tokio::task::spawn_blocking(|| mneme(&["install", "python-data"])).await.unwrap();
        assert!(ended_well && said.contains("python-data: ready"), "{said}");
    };
    INSTALLED.get_or_init(install).await;
}

async fn server(provider: &Provider) -> (Server, String) {
    installed().await;
    let folder = kept().display().to_string();
    let server = Server::builder().provider(provider).env("MNEME_COMPILED_DIR", &folder).start().await;
    let agent = json!({"name": "analyst", "model": "openai/gpt-4o-mini", "tools": ["run_code"]});
    let (status, agent) = server.post("/v1/agents/", &agent).await;
    assert_eq!(status, 200, "{agent}");
    let id = agent["id"].as_str().unwrap().to_owned();
    (server, id)
}

/// Has the model run a program; its report.
async fn ran(server: &Server, provider: &Provider, agent: &str, code: &str) -> Value {
    let call = Reply::tool_call("run_code", json!({"code": code, "language": "python"}));
    provider.reply(call).reply(Reply::text("done"));
    let message = json!({"messages": [{"role": "user", "content": "go"}]});
    let (status, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &message).await;
    assert_eq!(status, 200, "{answer}");
    let messages = answer["messages"].as_array().unwrap();
    let text = messages.iter().find_map(|message| message["tool_return"].as_str()).unwrap();
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
#[ignore = "fetches 100 MB and compiles for minutes, once"]
async fn it_is_installed_once_and_says_what_it_is() {
    installed().await;
    let (ended_well, said) = mneme(&["install", "python-data"]);
    assert!(ended_well && said.contains("python-data: fetched already") && said.contains("ready"), "{said}");
    let (_, listed) = mneme(&["list"]);
    assert!(listed.lines().any(|line| line.starts_with("python-data") && line.ends_with("installed")), "{listed}");
}

#[test]
fn without_it_the_command_that_installs_it_is_named_and_one_that_fails_leaves_nothing_half_way() {
    let folder = tempfile::tempdir().unwrap();
    let missing = || {
        let (ended_well, listed) = ran_in(folder.path(), "python3", &["list"]);
        let line = listed.lines().find(|line| line.starts_with("python-data")).unwrap_or_default();
        assert!(ended_well && line.contains("not installed; `mneme runtimes install python-data`"), "{listed}");
    };
    missing();
    let (ended_well, said) = ran_in(folder.path(), "python3", &["install", "r"]);
    assert!(!ended_well && said.contains("choose of python, javascript, python-data"), "{said}");
    // Of a download that breaks.
    let (ended_well, said) = ran_in(folder.path(), "false", &["install", "python-data"]);
    assert!(!ended_well && said.contains("run the same command again to go on"), "{said}");
    let (ended_well, said) = ran_in(folder.path(), "/nowhere/python3", &["install", "python-data"]);
    assert!(!ended_well && said.contains("/nowhere/python3"), "{said}");
    missing();
}

#[tokio::test]
#[ignore = "fetches 100 MB and compiles for minutes, once"]
async fn programs_compute_with_the_libraries_and_their_files() {
    let provider = Provider::start().await;
    let (server, agent) = server(&provider).await;
    let code = "import numpy as np, pandas as pd, os\nfrom scipy import stats\nfrom sklearn.linear_model import LinearRegression\n\
                pd.DataFrame({'x': [1, 2, 3], 'y': [2.0, 4.0, 6.0]}).to_csv('t.csv', index=False)\n\
                t = pd.read_csv('t.csv')\nmodel = LinearRegression().fit(t[['x']].values, t['y'])\n\
                print(os.listdir('.'), 'fine')\n\
                [round(float(model.predict([[4]])[0]), 6), int(np.arange(5).sum()), round(float(stats.norm.cdf(0)), 2)]";
    let report = ran(&server, &provider, &agent, code).await;
    assert_eq!(report["results"], json!(["[8.0, 10, 0.5]"]), "{report}");
    assert!(report["logs"]["stdout"][0].as_str().unwrap().contains("'t.csv'"), "{report}");

    let failed = ran(&server, &provider, &agent, "import pandas as pd\npd.DataFrame({'a': [1]})['b']").await;
    assert_eq!(failed["error"]["name"], "KeyError", "{failed}");
    assert!(failed["error"]["traceback"].as_str().unwrap().contains("line 2"), "{failed}");
    let fresh = ran(&server, &provider, &agent, "import os\nos.path.exists('t.csv')").await;
    assert_eq!(fresh["results"], json!(["False"]), "{fresh}");
    let code = "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as file:\n    file.write('x')\n    file.seek(0)\n    \
                inner = file.read()\nopen('/tmp/a', 'w').write('y')\n[inner, open('/tmp/a').read()]";
    let temporary = ran(&server, &provider, &agent, code).await;
    assert_eq!(temporary["results"], json!(["['x', 'y']"]), "{temporary}");
}

#[tokio::test]
#[ignore = "fetches 100 MB and compiles for minutes, once"]
async fn plots_come_back_as_pictures_for_the_client_and_the_model() {
    let provider = Provider::start().await;
    let (server, agent) = server(&provider).await;
    let code = "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.title('growth')\nplt.show()\n'drawn'";
    let report = ran(&server, &provider, &agent, code).await;
    let results = report["results"].as_array().unwrap();
    assert_eq!(results.len(), 2, "{report}");
    let picture = results[0]["image/png"].as_str().unwrap();
    assert!(BASE64_STANDARD.decode(picture).unwrap().starts_with(b"\x89PNG"), "{report}");
    assert_eq!(results[1], "'drawn'");

    // The model got the picture as a picture, and no base64 among the words.
    let asked = provider.chats().pop().unwrap().body;
    let messages = asked["messages"].as_array().unwrap();
    let last = messages.last().unwrap();
    assert_eq!(last["role"], "user", "{asked}");
    let url = last["content"][1]["image_url"]["url"].as_str().unwrap();
    assert_eq!(url, format!("data:image/png;base64,{picture}"));
    let returned = messages.iter().rfind(|message| message["role"] == "tool").unwrap();
    assert!(returned["content"].as_str().unwrap().contains("[picture 1, shown below]"), "{returned}");
}

#[tokio::test]
#[ignore = "fetches 100 MB and compiles for minutes, once"]
async fn its_programs_reach_what_the_policy_has_and_stop_at_their_limits() {
    let provider = Provider::start().await;
    let (server, agent) = server(&provider).await;
    let url = provider.base_url();
    let get = format!("import requests\nrequests.get('{url}/models', timeout=5).json()['object']");
    assert_eq!(ran(&server, &provider, &agent, &get).await["results"], json!(["'list'"]));
    let get = format!("import json, urllib.request\njson.load(urllib.request.urlopen('{url}/models'))['object']");
    assert_eq!(ran(&server, &provider, &agent, &get).await["results"], json!(["'list'"]));
    let canary = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inside = format!("import requests\nrequests.get('http://{}/', timeout=5)", canary.local_addr().unwrap());
    let report = ran(&server, &provider, &agent, &inside).await;
    assert!(report["error"]["value"].as_str().unwrap().contains("denied"), "{report}");
    let seen = tokio::time::timeout(std::time::Duration::from_millis(200), canary.accept()).await;
    assert!(seen.is_err(), "somebody connected");

    for outside in ["open('/etc/passwd').read()", "open('../../etc/passwd').read()", "open('/usr/local/mneme/x', 'w')"]
    {
        assert!(ran(&server, &provider, &agent, outside).await["error"].is_object(), "{outside}");
    }
    let (_, tools) = server.get(&format!("/v1/agents/{agent}/tools")).await;
    let run_code = tools.as_array().unwrap().iter().find(|tool| tool["name"] == "run_code").unwrap();
    let path = format!("/v1/tools/{}/policy", run_code["id"].as_str().unwrap());
    let policy = json!({"cpu_ms": 5000, "memory_bytes": 200 << 20, "file_bytes": 9 << 20});
    let put = server.http().put(format!("{}{path}", server.url())).json(&policy).send().await.unwrap();
    assert_eq!(put.status(), 200);
    for (code, hint) in [
        ("while True: pass", "computing time"),
        ("x = []\nwhile True: x.append(bytearray(8 << 20))", "MemoryError"),
        ("open('a', 'wb').write(bytes(12 << 20))", "space"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("import os\nwhile True: os.open('/usr/local/mneme/mneme_data.py', os.O_RDONLY)", "No file descriptors"),
        ("import os\nos._exit(3)", "exit code 3"),
    ] {
        let report = ran(&server, &provider, &agent, code).await;
        assert!(report["error"].to_string().contains(hint), "{code}: {report}");
    }
    let after = ran(&server, &provider, &agent, "1 + 1").await;
    assert_eq!(after["results"], json!(["2"]));
}
