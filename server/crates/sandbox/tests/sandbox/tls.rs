//! Encrypted connections from guests: only to who can prove its name to an authority that is trusted.
//!
//! What the system trusts is read once in a process and can be said in `SSL_CERT_FILE`, so the test runs itself again.

use std::io;
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mneme_sandbox::{CallRequest, Grants, Sandbox, SandboxConfig, ToolFailure};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::net_support::Names;
use crate::support::{Agent, hostile_bytes, request, shared_cache};

/// Where the second process finds the authority's certificate and key.
const FOLDER: &str = "MNEME_TEST_AUTHORITY";

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A web server with a certificate for these names; counts the requests that reach it.
async fn serve(authority: &Authority, names: &[&str], from: i32, to: i32) -> (u16, Arc<AtomicUsize>) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, authority).expect("signed");
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await?;
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                counted.fetch_add(1, Ordering::SeqCst);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret").await?;
                stream.shutdown().await?;
                io::Result::Ok(())
            });
        }
    });
    (port, asked)
}

async fn fetch(sandbox: &Sandbox, url: &str) -> Result<String, ToolFailure> {
    let guest = sandbox.load(&hostile_bytes()).await.expect("it loads");
    let base = request(&Agent::with(&[]), "fetch", json!({"method": "GET", "url": url}));
    sandbox.call(&guest, CallRequest { grants: Grants::default(), ..base }).await.result
}

#[test]
fn a_guest_reaches_encrypted_servers_that_prove_who_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let trusted = authority();
    std::fs::write(folder.path().join("ca.pem"), trusted.pem()).expect("written");
    std::fs::write(folder.path().join("ca.key"), trusted.key().serialize_pem()).expect("written");
    let inside = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "tls::with_an_authority_of_its_own", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("SSL_CERT_FILE", folder.path().join("ca.pem"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&inside.stdout);
    assert!(inside.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&inside.stderr));
}

#[tokio::test]
#[ignore = "run by the test above, with an authority of its own"]
async fn with_an_authority_of_its_own() {
    let folder = std::path::PathBuf::from(std::env::var_os(FOLDER).expect("run by another test"));
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("written");
    // The same name and key make the same authority.
    let key = KeyPair::from_pem(&read("ca.key")).expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let trusted = CertifiedIssuer::self_signed(params, key).expect("a certificate");
    let private_hosts = ["good.test", "other.test"].map(|host| host.parse().expect("a host")).to_vec();
    let names = Names::with(&[("good.test", &[&["127.0.0.1"]]), ("other.test", &[&["127.0.0.1"]])]);
    let sandbox = Sandbox::with_resolver(SandboxConfig { private_hosts, ..shared_cache() }, names).expect("a sandbox");

    let (port, asked) = serve(&trusted, &["good.test"], 2020, 2120).await;
    let answer = fetch(&sandbox, &format!("https://good.test:{port}/")).await;
    assert_eq!(answer, Ok("200 secret".to_owned()));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Another name, the same machine.
    let answer = fetch(&sandbox, &format!("https://other.test:{port}/")).await;
    assert!(matches!(&answer, Err(ToolFailure::Failed(why)) if why.contains("Tls")), "{answer:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "nothing was asked of who cannot prove its name");

    let (stranger, year) = (authority(), 2120);
    for (authority, from, to) in [(&stranger, 2020, year), (&trusted, 2020, 2021), (&trusted, year, year + 1)] {
        let (port, asked) = serve(authority, &["good.test"], from, to).await;
        let answer = fetch(&sandbox, &format!("https://good.test:{port}/")).await;
        assert!(matches!(&answer, Err(ToolFailure::Failed(why)) if why.contains("Tls")), "{from} {to}: {answer:?}");
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }
    // What is encrypted is not taken for what is not, or the other way round.
    let answer = fetch(&sandbox, &format!("http://good.test:{port}/")).await;
    assert!(answer.is_err(), "{answer:?}");
}
