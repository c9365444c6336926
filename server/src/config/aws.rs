//! Where a machine at AWS keeps credentials of its own, by the variables that AWS's own tools read.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    path::PathBuf,
};

use mneme_llm::AwsRole;
use url::{Host, Url};

use super::provider::{Lookup, parse_url, secret, text};

/// Where ECS answers its containers.
const ECS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);
/// Where EKS does.
const EKS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 23);
const EKS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23);
/// Where EC2 answers its instances.
const EC2: &str = "http://169.254.169.254";

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const ENDPOINT: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

/// The place that the variables name, if they do.
pub(super) fn named(lookup: Lookup<'_>) -> Result<Option<AwsRole>, String> {
    match container(lookup)? {
        None => text(lookup, &[ENDPOINT]).map(|endpoint| instance(&endpoint)).transpose(),
        found => Ok(found),
    }
}

/// The same, or that of every instance unless it is ruled out: for a provider that is set up without a key.
pub(super) fn any(lookup: Lookup<'_>) -> Result<Option<AwsRole>, String> {
    let ruled_out = text(lookup, &["AWS_EC2_METADATA_DISABLED"]).is_some_and(|said| said.eq_ignore_ascii_case("true"));
    match named(lookup)? {
        None if !ruled_out => instance(EC2).map(Some),
        found => Ok(found),
    }
}

fn instance(endpoint: &str) -> Result<AwsRole, String> {
    let endpoint = parse_url(endpoint).map_err(|reason| format!("{ENDPOINT}: {reason}"))?;
    Ok(AwsRole::Instance { endpoint })
}

fn container(lookup: Lookup<'_>) -> Result<Option<AwsRole>, String> {
    let url = match (text(lookup, &[RELATIVE]), text(lookup, &[FULL])) {
        (Some(path), _) if path.starts_with('/') => parse_url(&format!("http://{ECS}{path}")),
        (Some(_), _) => return Err(format!("{RELATIVE}: has to begin with a slash")),
        (None, Some(url)) => parse_url(&url).and_then(|url| match trusted(&url) {
            true => Ok(url),
            false => Err("has to be https, or an address of the machine, of ECS or of EKS".to_owned()),
        }),
        (None, None) => return Ok(None),
    };
    Ok(Some(AwsRole::Container {
        url: url.map_err(|reason| format!("{FULL}: {reason}"))?,
        token: secret(lookup, "AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|token| token.inner().clone()),
        token_file: text(lookup, &["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]).map(PathBuf::from),
    }))
}

/// Whether credentials may come from there, as AWS's tools see it.
fn trusted(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback() || ip == ECS || ip == EKS,
            Some(Host::Ipv6(ip)) => ip.is_loopback() || ip == EKS_V6,
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
}
