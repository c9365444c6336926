//! Where a request wants to go.

use http::Uri;
use http::uri::Scheme;
use mneme_domain::policy::parse_host;
use url::Host;

/// A host as URLs have it, with the spelling made one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Name or address.
    pub host: Host<String>,
    /// Port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

impl Destination {
    /// Reads the host out of a URI. None for what is no host, and for a user name in front of one: it only ever serves
    /// to make an address look like another.
    pub fn of(uri: &Uri) -> Option<Self> {
        let authority = uri.authority()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let tls = uri.scheme() != Some(&Scheme::HTTP);
        let host = parse_host(authority.host())?;
        // What follows the host is nothing, or a port that can be read.
        let rest = authority.as_str().strip_prefix(authority.host())?;
        let port = match rest.strip_prefix(':') {
            None | Some("") => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(text) => text.parse().ok().filter(|port| *port != 0)?,
        };
        Some(Self { host, port, tls })
    }
}

impl std::fmt::Display for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => write!(f, "{scheme}://{}", self.host),
            (_, port) => write!(f, "{scheme}://{}:{port}", self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_spelling() {
        for (uri, expected) in [
            ("http://127.0.0.1/x", Some("http://127.0.0.1")),
            ("http://127.1/x", Some("http://127.0.0.1")),
            ("http://0x7f000001:8080/", Some("http://127.0.0.1:8080")),
            ("http://2130706433/", Some("http://127.0.0.1")),
            ("http://0177.0.0.1/", Some("http://127.0.0.1")),
            ("http://[::ffff:7f00:1]/", Some("http://127.0.0.1")),
            ("https://EXAMPLE.com./", Some("https://example.com")),
            ("https://example.com:80/", Some("https://example.com:80")),
            ("https://user@example.com/", None),
            ("https://a:b@127.0.0.1/", None),
            ("https://example.com:0/", None),
            ("https://1.2.3.999/", None),
        ] {
            let found = uri.parse().ok().and_then(|uri| Destination::of(&uri)).map(|found| found.to_string());
            assert_eq!(found.as_deref(), expected, "{uri}");
        }
    }
}
