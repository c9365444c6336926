//! Names of hosts as a network policy writes them: `api.example.com`, `*.example.com`, `10.0.0.7:8080`, `[::1]:80`.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use url::Host;

/// Matches hosts by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// A host as a URL has it, without the leading `*.`.
    host: Host<String>,
    /// Whether it stands for every name below `host`, but not for `host` itself.
    below: bool,
    /// The only port; none means any.
    port: Option<u16>,
}

/// Why a text is no [`HostPattern`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no host: write a name or an address, with '*.' in front for all names below it, and ':port' behind")]
pub struct BadHost(String);

impl HostPattern {
    /// Whether the pattern covers a host, given as a URL has it.
    pub fn matches(&self, host: &Host<String>, port: u16) -> bool {
        if self.port.is_some_and(|only| only != port) {
            return false;
        }
        match (&self.host, host) {
            (Host::Domain(suffix), Host::Domain(name)) if self.below => is_below(name, suffix),
            (own, host) => !self.below && own == host,
        }
    }

    /// What both patterns cover, if that is anything.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let port = match (self.port, other.port) {
            (Some(one), Some(two)) if one != two => return None,
            (one, two) => one.or(two),
        };
        let narrower = if self.covers_names_of(other) {
            other
        } else if other.covers_names_of(self) {
            self
        } else {
            return None;
        };
        Some(Self { port, ..narrower.clone() })
    }

    fn covers_names_of(&self, other: &Self) -> bool {
        match (&self.host, &other.host) {
            (own, theirs) if own == theirs => self.below == other.below,
            (Host::Domain(suffix), Host::Domain(name)) => self.below && is_below(name, suffix),
            _ => false,
        }
    }
}

fn is_below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// Reads a host the way browsers do: lower case, decimal and octal addresses resolved, one trailing dot dropped.
pub fn parse_host(text: &str) -> Option<Host<String>> {
    match Host::parse(text).ok()? {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            (!name.is_empty()).then(|| Host::Domain(name.to_owned()))
        }
        Host::Ipv6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => Some(Host::Ipv4(v4)),
            None => Some(Host::Ipv6(v6)),
        },
        v4 => Some(v4),
    }
}

impl FromStr for HostPattern {
    type Err = BadHost;

    fn from_str(text: &str) -> Result<Self, BadHost> {
        let bad = || BadHost(text.chars().take(100).collect());
        let (below, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // An address of version 6 may stand without brackets when there is no port.
        if let Ok(address @ IpAddr::V6(_)) = rest.parse() {
            let host = parse_host(&format!("[{address}]")).ok_or_else(bad)?;
            return if below { Err(bad()) } else { Ok(Self { host, below, port: None }) };
        }
        let (name, port) = match rest.rsplit_once(':') {
            Some((name, port)) if !rest.ends_with(']') => {
                (name, Some(port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(bad)?))
            }
            _ => (rest, None),
        };
        let host = parse_host(name).ok_or_else(bad)?;
        match &host {
            Host::Domain(name) if name.contains('*') => Err(bad()),
            Host::Ipv4(_) | Host::Ipv6(_) if below => Err(bad()),
            _ => Ok(Self { host, below, port }),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.below {
            f.write_str("*.")?;
        }
        write!(f, "{}", self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> HostPattern {
        text.parse().unwrap()
    }

    fn matches(text: &str, host: &str, port: u16) -> bool {
        pattern(text).matches(&parse_host(host).unwrap(), port)
    }

    #[test]
    fn a_pattern_covers_what_it_says_and_nothing_else() {
        for (text, host, port, expected) in [
            ("api.example.com", "API.Example.com.", 443, true),
            ("api.example.com", "example.com", 443, false),
            ("api.example.com:8443", "api.example.com", 443, false),
            ("api.example.com:8443", "api.example.com", 8443, true),
            ("*.example.com", "a.b.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("*.example.com", "badexample.com", 443, false),
            ("*.example.com", ".example.com", 443, false),
            ("127.0.0.1", "0x7f000001", 80, true),
            ("2130706433", "127.0.0.1", 80, true),
            ("::1", "[::1]", 80, true),
            ("[::1]:8080", "[::1]", 80, false),
            ("127.0.0.1", "[::ffff:127.0.0.1]", 80, true),
            ("münchen.example", "xn--mnchen-3ya.example", 80, true),
        ] {
            assert_eq!(matches(text, host, port), expected, "{text} and {host}:{port}");
        }
        for bad in ["", "*", "*.", "a b", "*.10.0.0.1", "a.*.b", "x:0", "x:99999", "http://x", "user@x", "x/y"] {
            assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_intersection_is_the_narrower_one() {
        for (one, two, both) in [
            ("*.example.com", "api.example.com", Some("api.example.com")),
            ("*.example.com:80", "*.api.example.com", Some("*.api.example.com:80")),
            ("a.example.com", "b.example.com", None),
            ("*.example.com", "example.com", None),
            ("a.example.com:80", "a.example.com:81", None),
            ("10.0.0.1", "10.0.0.1:80", Some("10.0.0.1:80")),
        ] {
            let expected = both.map(str::to_owned);
            assert_eq!(pattern(one).intersection(&pattern(two)).map(|p| p.to_string()), expected, "{one} {two}");
            assert_eq!(pattern(two).intersection(&pattern(one)).map(|p| p.to_string()), expected, "{two} {one}");
        }
    }
}
