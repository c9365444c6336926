//! AWS's signature, version 4, over ring's primitives. The published crate for it brings AWS's whole runtime along, which
//! is more than the rest of this crate.

use chrono::{DateTime, Utc};
use reqwest::{Method, RequestBuilder, header::HeaderValue};
use ring::{digest, hmac};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{Outgoing, role::Keys};
use crate::{error::LlmError, provider::Provider};

/// The name of the service in signatures; the host for models and the one for lists share it.
const SERVICE: &str = "bedrock";

/// Signs a request to Bedrock with the provider's access key.
#[expect(clippy::disallowed_methods, reason = "AWS compares the signature's time with the real one")]
pub(super) fn sign(
    provider: &Provider,
    request: RequestBuilder,
    outgoing: &Outgoing<'_>,
) -> Result<RequestBuilder, LlmError> {
    sign_at(&own(provider)?, provider, request, outgoing, Utc::now())
}

/// Signs a request to Bedrock with credentials of the machine.
#[expect(clippy::disallowed_methods, reason = "AWS compares the signature's time with the real one")]
pub(super) fn sign_with(
    keys: &Keys,
    provider: &Provider,
    request: RequestBuilder,
    outgoing: &Outgoing<'_>,
) -> Result<RequestBuilder, LlmError> {
    sign_at(keys, provider, request, outgoing, Utc::now())
}

fn unfit() -> LlmError {
    LlmError::Authentication {
        message: "the request cannot be signed; check the access key and the region".into(),
        status: None,
    }
}

/// The provider's access key.
fn own(provider: &Provider) -> Result<Keys, LlmError> {
    let extras = provider.extras();
    Ok(Keys {
        id: extras.access_key.clone().ok_or_else(unfit)?,
        secret: provider.api_key().cloned().ok_or_else(unfit)?,
        session_token: extras.session_token.clone(),
    })
}

fn sign_at(
    keys: &Keys,
    provider: &Provider,
    request: RequestBuilder,
    outgoing: &Outgoing<'_>,
    now: DateTime<Utc>,
) -> Result<RequestBuilder, LlmError> {
    let exposed = |secret: &SecretString| secret.expose_secret().trim().to_owned();
    let (id, secret) = (exposed(&keys.id), exposed(&keys.secret));
    let region = provider.extras().region.clone().or_else(|| region_of(outgoing.url.host_str()?)).ok_or_else(unfit)?;
    let time = now.format("%Y%m%dT%H%M%SZ").to_string();
    let mut headers = vec![("host", host(outgoing.url).ok_or_else(unfit)?), ("x-amz-date", time.clone())];
    headers.extend(keys.session_token.as_ref().map(|token| ("x-amz-security-token", exposed(token))));
    let scope = Scope { time: &time, region: &region, service: SERVICE };
    let signature = signature(outgoing, &headers, &scope, &secret);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{}, SignedHeaders={}, Signature={signature}",
        scope.text(),
        names(&headers)
    );
    let mut request = request;
    // The host is the HTTP client's own business.
    let own = headers.into_iter().skip(1).chain([("authorization", authorization)]);
    for (name, value) in own {
        let mut value = HeaderValue::try_from(value).map_err(|_| unfit())?;
        value.set_sensitive(name != "x-amz-date");
        request = request.header(name, value);
    }
    Ok(request)
}

/// What a signature is good for.
struct Scope<'a> {
    /// `20150830T123600Z`.
    time: &'a str,
    region: &'a str,
    service: &'a str,
}

impl Scope<'_> {
    fn date(&self) -> &str {
        self.time.get(..8).unwrap_or(self.time)
    }

    fn text(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.date(), self.region, self.service)
    }
}

/// The signature of a request with these headers, which are in the order of their names.
fn signature(outgoing: &Outgoing<'_>, headers: &[(&str, String)], scope: &Scope<'_>, secret: &str) -> String {
    let hashed = hex(digest::digest(&digest::SHA256, canonical(outgoing, headers).as_bytes()).as_ref());
    let text = format!("AWS4-HMAC-SHA256\n{}\n{}\n{hashed}", scope.time, scope.text());
    let key = [scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(mac(format!("AWS4{secret}").as_bytes(), scope.date()), |key, part| mac(&key, part));
    hex(&mac(&key, &text))
}

/// The request in the one spelling that both sides hash.
fn canonical(outgoing: &Outgoing<'_>, headers: &[(&str, String)]) -> String {
    let Outgoing { method, url, body, .. } = outgoing;
    let mut pairs: Vec<(String, String)> =
        url.query_pairs().map(|(key, value)| (encoded(&key, false), encoded(&value, false))).collect();
    pairs.sort();
    let query: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let payload = hex(digest::digest(&digest::SHA256, body).as_ref());
    let method: &Method = method;
    // The path is encoded once more than it is sent.
    format!("{method}\n{}\n{}\n{lines}\n{}\n{payload}", encoded(url.path(), true), query.join("&"), names(headers))
}

fn names(headers: &[(&str, String)]) -> String {
    headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
}

/// Percent-encoding as AWS wants it: all but letters, digits and `-._~`, and slashes where they part a path.
fn encoded(text: &str, is_path: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b'/' if is_path => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The host as the HTTP client sends it.
fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The region in the name of one of AWS's hosts.
fn region_of(host: &str) -> Option<String> {
    let rest = host.strip_prefix("bedrock-runtime.").or_else(|| host.strip_prefix("bedrock."))?;
    rest.split('.').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::{kinds::ProviderKind, provider::Extras};

    /// The worked example of AWS's documentation, "Create a signed AWS API request".
    #[test]
    fn the_signature_is_that_of_the_documentation() {
        let url: Url = "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08".parse().expect("url");
        let outgoing = Outgoing { method: &Method::GET, url: &url, body: b"", deadline: Instant::now() };
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
            ("host", "iam.amazonaws.com".to_owned()),
            ("x-amz-date", "20150830T123600Z".to_owned()),
        ];
        let hashed = digest::digest(&digest::SHA256, canonical(&outgoing, &headers).as_bytes());
        assert_eq!(hex(hashed.as_ref()), "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59");
        let scope = Scope { time: "20150830T123600Z", region: "us-east-1", service: "iam" };
        assert_eq!(
            signature(&outgoing, &headers, &scope, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn requests_carry_what_was_signed_and_no_secret() {
        crate::install_crypto();
        let extras = Extras {
            access_key: Some("AKIDEXAMPLE".to_owned().into()),
            session_token: Some("temporary".to_owned().into()),
            region: Some("eu-west-1".into()),
            ..Extras::default()
        };
        let base: Url = "https://bedrock-runtime.eu-west-1.amazonaws.com".parse().expect("url");
        let key = Some("secret-key".to_owned().into());
        let provider = Provider::new("b", ProviderKind::Bedrock, base.clone(), key).with(extras);
        let url = base.join("/model/amazon.nova-lite-v1%3A0/converse").expect("url");
        let outgoing = Outgoing { method: &Method::POST, url: &url, body: b"{}", deadline: Instant::now() };
        let now = DateTime::parse_from_rfc3339("2015-08-30T12:36:00Z").expect("a time").to_utc();
        let client = reqwest::Client::new();
        let keys = own(&provider).expect("keys");
        let signed = sign_at(&keys, &provider, client.post(url.clone()), &outgoing, now).expect("signed");
        let signed = signed.build().expect("request");
        let header = |name: &str| signed.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(
            (header("x-amz-date"), header("x-amz-security-token")),
            ("20150830T123600Z".into(), "temporary".into())
        );
        let authorization = header("authorization");
        let begin = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/bedrock/aws4_request, \
                     SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=";
        let signature = authorization.strip_prefix(begin).expect(&authorization);
        assert!(signature.len() == 64 && signature.chars().all(|c| c.is_ascii_hexdigit()), "{signature}");
        assert!(!format!("{:?}", signed.headers()).contains("secret-key"));
        let spelled = canonical(&outgoing, &[("host", "h".into())]);
        assert!(spelled.starts_with("POST\n/model/amazon.nova-lite-v1%253A0/converse\n\nhost:h\n"), "{spelled}");
    }

    #[test]
    fn the_host_names_the_region_when_nobody_else_does() {
        assert_eq!(region_of("bedrock-runtime.us-west-2.amazonaws.com").as_deref(), Some("us-west-2"));
        assert_eq!(region_of("bedrock.us-west-2.amazonaws.com").as_deref(), Some("us-west-2"));
        assert_eq!(region_of("gateway.example"), None);
    }
}
