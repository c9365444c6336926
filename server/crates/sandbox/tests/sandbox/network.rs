//! Guests reach what their policy has, by addresses that everybody may reach, and nothing else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use mneme_domain::policy::{Manifest, NetworkPolicy, Policy, ToolKind};
use mneme_sandbox::{
    ApiRequest, ApiResponse, CallOutcome, CallRequest, ConversationHit, ConversationQuery, Denial, Grants, HostError,
    Limits, MemoryBlock, Sandbox, SandboxConfig, ToolFailure, ToolHost,
};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::net_support::{Listener, Names};
use crate::support::{Agent, hostile_bytes, request, shared_cache, tight};

/// A sandbox whose operator lets guests reach `good.test` on this machine.
fn sandbox(names: &Arc<Names>) -> Sandbox {
    let private_hosts = vec!["good.test".parse().expect("a host")];
    Sandbox::with_resolver(SandboxConfig { private_hosts, ..shared_cache() }, names.clone()).expect("a sandbox")
}

fn local() -> Arc<Names> {
    Names::with(&[("good.test", &[&["127.0.0.1"]]), ("bad.test", &[&["127.0.0.1"]])])
}

fn policy(network: Value) -> Grants {
    let manifest = Manifest::parse(json!({ "network": network })).expect("a manifest");
    Grants::of(&Policy::of(ToolKind::Builtin).with(&manifest))
}

async fn attack(sandbox: &Sandbox, grants: Grants, tool: &str, arguments: Value) -> CallOutcome {
    let guest = sandbox.load(&hostile_bytes()).await.expect("it loads");
    let limits = Limits { cpu: Duration::from_secs(10), wall: Duration::from_secs(20), ..tight() };
    sandbox.call(&guest, CallRequest { grants, limits, ..request(&Agent::with(&[]), tool, arguments) }).await
}

async fn fetch(sandbox: &Sandbox, grants: Grants, url: &str) -> CallOutcome {
    attack(sandbox, grants, "fetch", json!({"method": "GET", "url": url})).await
}

fn failed(outcome: &CallOutcome) -> &str {
    match &outcome.result {
        Err(ToolFailure::Failed(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_host_of_the_policy_is_reached() {
    let (listener, sandbox) = (Listener::start().await, sandbox(&local()));
    let url = format!("http://good.test:{}/hello?x=1", listener.port());
    let outcome = fetch(&sandbox, policy(json!({"allow": ["good.test"]})), &url).await;
    assert_eq!(outcome.result, Ok("200 /hello?x=1".to_owned()));
    assert_eq!(outcome.denials, []);
    assert_eq!((outcome.usage.requests, outcome.usage.network_bytes), (1, 10));
    let head = listener.heads.lock()[0].to_lowercase();
    assert!(head.starts_with("get /hello?x=1 http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: good.test:{}\r\n", listener.port())), "{head}");
}

/// The list of a security review: every way to write an address that nobody else may reach.
#[tokio::test]
async fn no_spelling_of_a_private_address_reaches_it() {
    let (canary, sandbox) = (Listener::start().await, sandbox(&local()));
    let port = canary.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "good.test@127.0.0.1",
        "127.0.0.1%2f@good.test",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "224.0.0.1",
        "255.255.255.255",
        "bad.test",
        "BAD.test.",
        "missing.test",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/latest/meta-data");
            let outcome = fetch(&sandbox, policy(json!({"allow": "public"})), &url).await;
            let said = failed(&outcome).to_owned();
            let denied = said.contains("its address is not public") && outcome.denials.len() == 1;
            let unusable = ["HttpRequestUriInvalid", "authority", "missing.test was not found", "DnsError"];
            assert!(denied || unusable.iter().any(|word| said.contains(word)), "{url}: {said}");
        }
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let canary = Listener::start().await;
    // An address that is public by its number and that nobody has.
    let names =
        Names::with(&[("flip.test", &[&["2d00::1"], &["127.0.0.1"]]), ("both.test", &[&["127.0.0.1", "2d00::1"]])]);
    let sandbox = sandbox(&names);
    let ask = async |name: &str| {
        let url = format!("http://{name}:{}/", canary.port());
        failed(&fetch(&sandbox, policy(json!({"allow": "public"})), &url).await).to_owned()
    };
    let first = ask("flip.test").await;
    assert!(!first.contains("not public"), "it was tried: {first}");
    assert_eq!(names.lookups.load(Ordering::SeqCst), 1, "what was judged is what is connected to");
    let second = ask("flip.test").await;
    assert!(second.contains("not public"), "{second}");
    let mixed = ask("both.test").await;
    assert!(!mixed.contains("not public"), "only the public address was tried: {mixed}");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn each_redirect_is_a_request_like_any_other() {
    let (listener, canary, sandbox) = (Listener::start().await, Listener::start().await, sandbox(&local()));
    let good = format!("http://good.test:{}", listener.port());
    for (target, hint) in [
        (format!("http://127.0.0.1:{}/secret", canary.port()), "not public"),
        (format!("http://bad.test:{}/secret", canary.port()), "not public"),
        ("http://169.254.169.254/".to_owned(), "not public"),
    ] {
        let start = json!({"url": format!("{good}/to/{target}")});
        let outcome = attack(&sandbox, policy(json!({"allow": "public"})), "fetch_following", start).await;
        assert!(failed(&outcome).contains(hint), "{outcome:?}");
    }
    let round = json!({"url": format!("{good}/to/{good}/end")});
    let outcome = attack(&sandbox, policy(json!({"allow": ["good.test"]})), "fetch_following", round).await;
    assert_eq!(outcome.result, Ok("/end".to_owned()));
    let away = json!({"url": format!("{good}/to/http://other.test/")});
    let outcome = attack(&sandbox, policy(json!({"allow": ["good.test"]})), "fetch_following", away).await;
    assert!(failed(&outcome).contains("policy does not have this host"), "{outcome:?}");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn what_is_missing_is_named_and_recorded() {
    let (canary, sandbox) = (Listener::start().await, sandbox(&local()));
    let url = format!("http://good.test:{}/x", canary.port());
    let shown = format!("GET http://good.test:{}", canary.port());
    for (network, why) in [
        (json!({"allow": "none"}), "the tool's network policy does not have this host"),
        (json!({"allow": ["*.good.test", "good.test:1"]}), "the tool's network policy does not have this host"),
        (json!({"allow": "public", "methods": ["POST"]}), "the tool's network policy does not have this method"),
    ] {
        let outcome = fetch(&sandbox, policy(network), &url).await;
        let detail = format!("{shown}: {why}");
        assert_eq!(failed(&outcome), format!("denied: {detail} (missing capability: network)"));
        assert_eq!(outcome.denials, [Denial { capability: "network".into(), detail }]);
    }
    // Neither a grant without a declaration nor a declaration without a grant is enough.
    let outcome = attack(&sandbox, Grants::default(), "fetch_undeclared", json!({"url": url})).await;
    assert!(failed(&outcome).contains("this tool has no network"), "{outcome:?}");
    let bare = Grants { capabilities: Vec::new(), network: NetworkPolicy::public(), folders: Vec::new() };
    let outcome = fetch(&sandbox, bare, &url).await;
    assert!(failed(&outcome).contains("this tool has no network"), "{outcome:?}");
    let tunnel = json!({"method": "CONNECT", "url": url});
    let outcome = attack(&sandbox, Grants::default(), "fetch", tunnel).await;
    assert!(failed(&outcome).contains("does not have this method"), "{outcome:?}");
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn sizes_and_counts_are_bounded() {
    let (listener, sandbox) = (Listener::start().await, sandbox(&local()));
    let url = |path: &str| format!("http://good.test:{}{path}", listener.port());
    let small = || {
        policy(json!({
            "max_requests": 3, "max_request_bytes": 1_000, "max_response_bytes": 2_000, "max_total_bytes": 5_000,
        }))
    };
    let fits = fetch(&sandbox, small(), &url("/size/2000")).await;
    assert_eq!(fits.result.map(|text| text.len()), Ok(2_004));
    let large = fetch(&sandbox, small(), &url("/size/2001")).await;
    assert!(failed(&large).contains("2000"), "{large:?}");
    let upload = |bytes: usize| json!({"url": url("/up"), "bytes": bytes});
    assert_eq!(attack(&sandbox, small(), "upload", upload(1_000)).await.result, Ok("200".to_owned()));
    let large = attack(&sandbox, small(), "upload", upload(1_001)).await;
    assert!(large.result.is_err(), "{large:?}");

    let often = |path: &str, times: u32| json!({"url": url(path), "times": times});
    assert_eq!(attack(&sandbox, small(), "fetch_often", often("/", 3)).await.result, Ok("3".to_owned()));
    let before = listener.connections();
    let many = attack(&sandbox, small(), "fetch_often", often("/", 4)).await;
    assert!(failed(&many).contains("more than 3 requests in one call"), "{many:?}");
    assert_eq!(listener.connections() - before, 3);
    let together = attack(&sandbox, small(), "fetch_often", often("/size/1900", 3)).await;
    assert!(failed(&together).contains("5000 bytes over the network"), "{together:?}");

    let headers = fetch(&sandbox, small(), &url("/headers")).await;
    assert!(headers.result.is_err(), "{headers:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_costs_wall_time_only() {
    let (listener, sandbox) = (Listener::start().await, sandbox(&local()));
    let guest = sandbox.load(&hostile_bytes()).await.expect("it loads");
    let limits = Limits { wall: Duration::from_millis(500), ..tight() };
    let url = format!("http://good.test:{}/hang", listener.port());
    let arguments = json!({"method": "GET", "url": url});
    let hanging = CallRequest { limits, ..request(&Agent::with(&[]), "fetch", arguments) };
    let outcome = sandbox.call(&guest, hanging).await;
    assert!(outcome.result.is_err(), "{outcome:?}");
    assert!(outcome.duration < Duration::from_secs(2), "{:?}", outcome.duration);
    assert_eq!(outcome.usage.requests, 1);
}

/// An agent whose owner may use the API.
#[derive(Default)]
struct Owner {
    asked: Mutex<Vec<ApiRequest>>,
}

#[async_trait]
impl ToolHost for Owner {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        Ok(Vec::new())
    }

    async fn block(&self, label: &str) -> Result<MemoryBlock, HostError> {
        Err(HostError::NotFound(label.to_owned()))
    }

    async fn set_block(&self, label: &str, _: String) -> Result<(), HostError> {
        Err(HostError::NotFound(label.to_owned()))
    }

    async fn search_conversation(&self, _: ConversationQuery) -> Result<Vec<ConversationHit>, HostError> {
        Ok(Vec::new())
    }

    async fn api_request(&self, request: ApiRequest) -> Result<ApiResponse, HostError> {
        let body = format!("{} {}", request.method, request.path).into();
        self.asked.lock().push(request);
        Ok(ApiResponse { status: 201, headers: vec![("content-type".into(), "text/plain".into())], body })
    }

    fn agent_id(&self) -> &str {
        "agent-owner"
    }

    fn timezone(&self) -> &str {
        "UTC"
    }

    fn now(&self) -> i64 {
        0
    }
}

#[tokio::test]
async fn the_servers_own_api_is_answered_by_the_host() {
    let sandbox = sandbox(&local());
    let guest = sandbox.load(&hostile_bytes()).await.expect("it loads");
    let owner = Arc::new(Owner::default());
    let ask = |tool: &str, grants: Grants, host: Arc<dyn ToolHost>| {
        let arguments = json!({"method": "POST", "path": "/v1/agents/?limit=2", "body": "{}"});
        let base = request(&Agent::with(&[]), tool, arguments);
        let (sandbox, guest) = (sandbox.clone(), guest.clone());
        async move { sandbox.call(&guest, CallRequest { host, grants, ..base }).await }
    };
    // No network is needed for it, and none comes with it.
    let api_only = policy(json!({"allow": "none"}));
    let outcome = ask("ask_server", api_only, owner.clone()).await;
    assert_eq!(outcome.result, Ok("201 POST /v1/agents/?limit=2".to_owned()));
    let asked = std::mem::take(&mut *owner.asked.lock());
    assert_eq!((asked.len(), &asked[0].body[..]), (1, &b"{}"[..]));

    let outcome = ask("ask_server_undeclared", Grants::default(), owner.clone()).await;
    assert!(failed(&outcome).contains("missing capability: api"), "{outcome:?}");
    let none = Grants { capabilities: vec!["network".into()], ..Grants::default() };
    let outcome = ask("ask_server", none, owner.clone()).await;
    assert!(failed(&outcome).contains("missing capability: api"), "{outcome:?}");
    assert!(owner.asked.lock().is_empty());

    let outcome = ask("ask_server", Grants::default(), Agent::with(&[])).await;
    assert!(failed(&outcome).contains("the API is not available to this call"), "{outcome:?}");
    assert_eq!(outcome.denials[0].capability, "api");
}
