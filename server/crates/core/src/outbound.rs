//! Requests that the server makes to addresses that somebody else named: images, callbacks, MCP servers.
//!
//! What is not public is refused before a connection, by the addresses that a name resolves to at the moment of the
//! connection, so a name that changes its mind gains nothing. Redirects are not followed.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures::StreamExt;
use mneme_domain::{
    net::{is_link_local, is_public, unwrapped},
    policy::HostPattern,
};
use mneme_macros::boxed;
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Which addresses beside public ones may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrivateNetwork {
    /// None.
    #[default]
    Deny,
    /// This machine: for a server that only this machine can reach.
    Loopback,
    /// Any but link-local ones, where cloud providers keep credentials.
    Allow,
}

/// Why an address was not asked, or gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// It is no web address.
    #[error("'{0}' is no http or https address")]
    NotWeb(String),
    /// It is not public.
    #[error("the address is not public and may not be asked")]
    Refused,
    /// It sent more than it may.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// It answered with an error.
    #[error("the address answered with status {0}")]
    Status(u16),
    /// It did not answer.
    #[error("the address could not be asked")]
    Failed,
}

/// A client for such requests. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    client: Client,
    policy: PrivateNetwork,
}

/// Clients for peers that people set up, such as MCP servers: they may also be at the private addresses that the operator
/// lists, and their answers may take as long as whoever waits for them allows.
#[derive(Clone)]
pub struct Peers {
    public: Outbound,
    listed: Outbound,
    hosts: Arc<[HostPattern]>,
}

impl Peers {
    /// Clients that reach what `policy` allows, and any address but link-local ones of the listed hosts.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(policy: PrivateNetwork, hosts: Vec<HostPattern>) -> Result<Self, reqwest::Error> {
        let of = |policy| -> Result<Outbound, reqwest::Error> {
            // Streams are silent for as long as nothing happens; each phase has a limit of its own where it is waited for.
            Ok(Outbound { client: builder(policy).build()?, policy })
        };
        Ok(Self { public: of(policy)?, listed: of(PrivateNetwork::Allow)?, hosts: hosts.into() })
    }

    /// The client for an address, which is checked as far as it can be without asking for its name.
    ///
    /// # Errors
    /// As [`Outbound::check`].
    pub fn client(&self, url: &str) -> Result<(Client, Url), OutboundError> {
        let not_web = || OutboundError::NotWeb(url.chars().take(200).collect());
        let parsed = Url::parse(url).map_err(|_| not_web())?;
        let port = parsed.port_or_known_default().ok_or_else(not_web)?;
        let host = parsed.host().ok_or_else(not_web)?.to_owned();
        let listed = self.hosts.iter().any(|pattern| pattern.matches(&host, port));
        let outbound = if listed { &self.listed } else { &self.public };
        Ok((outbound.client.clone(), outbound.check(url)?))
    }
}

/// Whether an address may be asked.
pub fn allowed(address: IpAddr, policy: PrivateNetwork) -> bool {
    let address = unwrapped(address);
    if is_link_local(address) || address.is_unspecified() || address.is_multicast() {
        return false;
    }
    match policy {
        PrivateNetwork::Allow => true,
        PrivateNetwork::Loopback => address.is_loopback() || is_public(address),
        PrivateNetwork::Deny => is_public(address),
    }
}

struct Guard(PrivateNetwork);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| allowed(address.ip(), policy)).collect();
            if public.is_empty() {
                return Err(OutboundError::Refused.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// What all clients have in common.
fn builder(policy: PrivateNetwork) -> reqwest::ClientBuilder {
    Client::builder()
        .dns_resolver(Arc::new(Guard(policy)))
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .user_agent(concat!("mneme/", env!("CARGO_PKG_VERSION")))
}

/// The way to model providers that users added. A model may think for long, so the calls' own limits hold.
///
/// # Errors
/// When the TLS library cannot be set up.
pub fn guard(policy: PrivateNetwork) -> Result<mneme_llm::Guard, reqwest::Error> {
    let outbound = Outbound { client: builder(policy).build()?, policy };
    let client = outbound.client.clone();
    Ok(mneme_llm::Guard { client, allows: Arc::new(move |url| outbound.check(url.as_str()).is_ok()) })
}

#[boxed]
impl Outbound {
    /// A client with a policy.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(policy: PrivateNetwork) -> Result<Self, reqwest::Error> {
        let client = builder(policy).timeout(Duration::from_secs(30)).build()?;
        Ok(Self { client, policy })
    }

    /// Checks an address as far as it can be without asking for its name.
    ///
    /// # Errors
    /// For what is no web address, or names a machine by an address that is not public.
    pub fn check(&self, url: &str) -> Result<Url, OutboundError> {
        let parsed = Url::parse(url).map_err(|_| OutboundError::NotWeb(url.chars().take(200).collect()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(OutboundError::NotWeb(url.chars().take(200).collect()));
        }
        // A literal address never reaches the resolver.
        let literal = match parsed.host() {
            Some(url::Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(url::Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
            Some(url::Host::Domain(_)) => None,
            None => return Err(OutboundError::NotWeb(url.chars().take(200).collect())),
        };
        if literal.is_some_and(|address| !allowed(address, self.policy)) {
            return Err(OutboundError::Refused);
        }
        Ok(parsed)
    }

    /// Fetches at most `limit` bytes with their content type.
    ///
    /// # Errors
    /// For addresses that may not be asked, answers that are no success, and too large ones.
    pub async fn fetch(&self, url: &str, limit: usize) -> Result<(Option<String>, Vec<u8>), OutboundError> {
        let url = self.check(url)?;
        let response = self.client.get(url).send().await.map_err(|error| failed(&error))?;
        if !response.status().is_success() {
            return Err(OutboundError::Status(response.status().as_u16()));
        }
        let kind = response.headers().get("content-type").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut bytes = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| failed(&error))?;
            if bytes.len() + chunk.len() > limit {
                return Err(OutboundError::TooLarge(limit));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((kind, bytes))
    }
}

/// Posts JSON, again after a failure or an error of the server's, with growing pauses. The last status comes back.
///
/// # Errors
/// For addresses that may not be asked or never answered.
///
/// With a secret, the header `x-mneme-signature` is `t=<now>,v1=<hex>`: the HMAC-SHA256 of `<now>.<body>`, `now` being
/// seconds since 1970.
#[boxed]
pub async fn post(
    outbound: &Outbound,
    url: &str,
    body: &Value,
    tries: u32,
    secret: Option<&SecretString>,
    now: i64,
) -> Result<u16, OutboundError> {
    let url = outbound.check(url)?;
    let body = body.to_string();
    let signature = secret.map(|secret| format!("t={now},v1={}", sign(secret, &format!("{now}.{body}"))));
    let mut wait = Duration::from_millis(500);
    for attempt in 1.. {
        let mut request = outbound.client.post(url.clone()).header("content-type", "application/json");
        if let Some(signature) = &signature {
            request = request.header("x-mneme-signature", signature);
        }
        let sent = request.body(body.clone()).send().await;
        let again = match sent {
            Ok(response) if response.status().is_server_error() && attempt < tries => None,
            Ok(response) => return Ok(response.status().as_u16()),
            Err(error) if attempt < tries => Some(failed(&error)),
            Err(error) => return Err(failed(&error)),
        };
        if let Some(OutboundError::Refused) = again {
            return Err(OutboundError::Refused);
        }
        tokio::time::sleep(wait).await;
        wait *= 4;
    }
    Err(OutboundError::Failed)
}

/// The HMAC-SHA256 of a text (RFC 2104), in hexadecimal.
fn sign(secret: &SecretString, text: &str) -> String {
    let mut key = [0_u8; 64];
    let secret = secret.expose_secret().as_bytes();
    if secret.len() > key.len() {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    let outer = Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether an address was refused somewhere below an error.
pub fn was_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut source = Some(error);
    while let Some(inner) = source {
        if matches!(inner.downcast_ref::<OutboundError>(), Some(OutboundError::Refused)) {
            return true;
        }
        source = inner.source();
    }
    false
}

fn failed(error: &reqwest::Error) -> OutboundError {
    if was_refused(error) { OutboundError::Refused } else { OutboundError::Failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        mneme_llm::install_crypto();
        let guarded = Outbound::new(PrivateNetwork::Deny).unwrap();
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://169.254.169.254/latest/meta-data",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "http://10.0.0.1/",
            "http://172.16.0.1/",
            "http://192.168.1.1/",
            "http://100.64.0.1/",
            "http://0.0.0.0/",
            "http://user@127.0.0.1/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
        ] {
            assert!(matches!(guarded.check(url), Err(OutboundError::Refused)), "{url}");
        }
        for url in ["file:///etc/passwd", "gopher://x/", "javascript:1", "not a url", "http://"] {
            assert!(matches!(guarded.check(url), Err(OutboundError::NotWeb(_))), "{url}");
        }
        for url in ["https://example.com/x.png", "http://93.184.216.34/", "http://[2606:2800:220:1::]/"] {
            assert!(guarded.check(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn a_local_server_may_ask_its_own_machine_but_never_a_metadata_service() {
        let local = PrivateNetwork::Loopback;
        assert!(allowed("127.0.0.1".parse().unwrap(), local));
        assert!(!allowed("10.0.0.1".parse().unwrap(), local));
        for policy in [PrivateNetwork::Deny, local, PrivateNetwork::Allow] {
            assert!(!allowed("169.254.169.254".parse().unwrap(), policy));
            assert!(!allowed("::ffff:169.254.169.254".parse().unwrap(), policy));
        }
    }

    /// Test case 2 of RFC 4231.
    #[test]
    fn signatures_are_those_of_the_standard() {
        assert_eq!(
            sign(&"Jefe".to_owned().into(), "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_refused() {
        mneme_llm::install_crypto();
        let guarded = Outbound::new(PrivateNetwork::Deny).unwrap();
        assert!(matches!(guarded.fetch("http://localhost:1/", 10).await, Err(OutboundError::Refused)));
    }
}
