//! Addresses of the web, as far as a client needs to take them apart.

use std::fmt;

use crate::ToolError;

/// An absolute `http` or `https` address without a fragment, its path and query escaped.
///
/// Host names are not converted: one with letters outside ASCII has to be given in its `xn--` form. What the host may
/// be is judged by the server, which has its own, strict reading of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Url {
    secure: bool,
    /// Host and port, in small letters.
    authority: String,
    /// Starts with a slash.
    path: String,
    query: Option<String>,
}

impl Url {
    /// Reads an absolute address.
    ///
    /// # Errors
    /// [`ToolError::InvalidArguments`], with the reason.
    pub fn parse(text: &str) -> Result<Self, ToolError> {
        let text = text.trim();
        let bad = |why: &str| {
            let shown: String = text.chars().take(200).collect();
            ToolError::invalid(format!("`{shown}` is not an address that can be fetched: {why}"))
        };
        let (scheme, rest) = text.split_once(':').ok_or_else(|| bad("it must start with http:// or https://"))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(bad("it must start with http:// or https://")),
        };
        let rest = rest.strip_prefix("//").ok_or_else(|| bad("two slashes follow the colon"))?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.is_empty() {
            return Err(bad("it names no host"));
        }
        if authority.contains('@') {
            return Err(bad("a user name and password do not belong there"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:[]".contains(c);
        if !authority.chars().all(plain) {
            return Err(bad("its host has characters that a host cannot have"));
        }
        let mut url = Self { secure, authority: authority.to_ascii_lowercase(), path: "/".to_owned(), query: None };
        url.set_target(rest);
        Ok(url)
    }

    /// What a link on the page at this address leads to.
    ///
    /// # Errors
    /// [`ToolError::InvalidArguments`] when that is no address of the web: `mailto:…`, `javascript:…`.
    pub fn join(&self, link: &str) -> Result<Self, ToolError> {
        let link = link.trim();
        if let Some(rest) = link.strip_prefix("//") {
            let scheme = if self.secure { "https" } else { "http" };
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        if has_scheme(link) {
            return Self::parse(link);
        }
        let mut url = self.clone();
        match link.chars().next() {
            None | Some('#') => {}
            Some('/') => url.set_target(link),
            Some('?') => url.query = target_query(link),
            Some(_) => {
                let folder = &self.path[..=self.path.rfind('/').unwrap_or_default()];
                url.set_target(&format!("{folder}{link}"));
            }
        }
        Ok(url)
    }

    /// Adds a parameter to the query.
    pub fn add_query(&mut self, name: &str, value: &str) {
        let pair = pair(name, value);
        self.query = Some(match self.query.take().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&{pair}"),
            None => pair,
        });
    }

    /// Whether it is `https`.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host and port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query.
    pub fn target(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.authority)
    }

    /// The address up to the query.
    pub fn without_query(&self) -> String {
        self.origin() + &self.path
    }

    fn set_target(&mut self, text: &str) {
        let text = text.split('#').next().unwrap_or_default();
        let path = text.split('?').next().unwrap_or_default();
        self.query = target_query(text);
        self.path = escape(&without_dots(path), |byte| b"-._~!$&'()*+,;=:@/%".contains(&byte));
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.target())
    }
}

fn target_query(text: &str) -> Option<String> {
    let text = text.split('#').next().unwrap_or_default();
    let (_, query) = text.split_once('?')?;
    Some(escape(query, |byte| b"-._~!$&'()*+,;=:@/?%[]".contains(&byte)))
}

fn has_scheme(text: &str) -> bool {
    let Some((scheme, _)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Resolves `.` and `..`; the result starts with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_folder = true;
    for part in path.strip_prefix('/').unwrap_or(path).split('/') {
        ends_in_folder = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => {
                kept.pop();
            }
            part => kept.push(part),
        }
    }
    let slash = if ends_in_folder && !kept.is_empty() { "/" } else { "" };
    format!("/{}{slash}", kept.join("/"))
}

/// `name=value`, escaped as in a query or a form.
pub fn pair(name: &str, value: &str) -> String {
    let part = |text| escape(text, |byte| b"-._~".contains(&byte));
    format!("{}={}", part(name), part(value))
}

fn escape(text: &str, keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || keep(byte) {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect(text)
    }

    #[test]
    fn addresses_are_read_and_written() {
        for (text, expected) in [
            ("http://a.example", "http://a.example/"),
            (" HTTPS://A.example:8443/x?y=1#z ", "https://a.example:8443/x?y=1"),
            ("http://a/b/../c/./d/..", "http://a/c/"),
            ("http://a/../../etc", "http://a/etc"),
            ("http://a?q=ä b", "http://a/?q=%C3%A4%20b"),
            ("http://a/p%20q/ü", "http://a/p%20q/%C3%BC"),
            ("http://[::1]:80/", "http://[::1]:80/"),
        ] {
            assert_eq!(url(text).to_string(), expected, "{text}");
        }
        for (bad, why) in [
            ("a.example", "http:// or https://"),
            ("ftp://a", "http:// or https://"),
            ("javascript:alert(1)", "http:// or https://"),
            ("http:a", "slashes"),
            ("http:///x", "no host"),
            ("http://user:pw@a/", "password"),
            ("http://a b/", "host"),
            ("http://a\\b/", "host"),
            ("http://a\r\nx: y/", "host"),
        ] {
            let error = Url::parse(bad).expect_err(bad).to_string();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn links_are_resolved() {
        let base = url("https://a.example/one/two?x=1");
        for (link, expected) in [
            ("three", "https://a.example/one/three"),
            ("../three?y", "https://a.example/three?y"),
            ("/four#part", "https://a.example/four"),
            ("?z=2", "https://a.example/one/two?z=2"),
            ("#top", "https://a.example/one/two?x=1"),
            ("", "https://a.example/one/two?x=1"),
            ("//b.example/x", "https://b.example/x"),
            ("http://c.example", "http://c.example/"),
            ("a:b/c", ""),
            ("mailto:a@b.example", ""),
            ("1:2", "https://a.example/one/1:2"),
        ] {
            let found = base.join(link).map(|url| url.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{link}");
        }
    }

    #[test]
    fn query_parameters_are_escaped() {
        let mut url = url("http://a/?q=1");
        url.add_query("x y", "a&b=c+d/é");
        assert_eq!(url.target(), "/?q=1&x%20y=a%26b%3Dc%2Bd%2F%C3%A9");
    }
}
