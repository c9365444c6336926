//! Puts a provider's credentials on a request, in whichever way it wants them.

mod aws;
mod google;
mod role;

use reqwest::{
    Method, RequestBuilder,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use url::Url;

use crate::{error::LlmError, http::Transport, kinds::ProviderKind, provider::Provider, retry::Failure};

pub(crate) use google::{Tokens, project_of, service_account_fault};
pub use role::AwsRole;
pub(crate) use role::Roles;

/// The version of Anthropic's API that this crate was written against.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// What is about to be sent, as far as a signature covers it.
pub(crate) struct Outgoing<'a> {
    pub method: &'a Method,
    pub url: &'a Url,
    pub body: &'a [u8],
    pub deadline: Instant,
}

/// Adds the credentials.
pub(crate) async fn authenticate(
    transport: &Transport,
    provider: &Provider,
    request: RequestBuilder,
    outgoing: Outgoing<'_>,
) -> Result<RequestBuilder, Failure> {
    let key = provider.api_key().map(ExposeSecret::expose_secret).filter(|key| !key.is_empty());
    match provider.kind() {
        ProviderKind::Anthropic => {
            let version = provider.extras().api_version.as_deref().unwrap_or(ANTHROPIC_VERSION);
            let request = request.header("anthropic-version", version);
            with(request, "x-api-key", key.map(str::to_owned))
        }
        ProviderKind::Gemini => with(request, "x-goog-api-key", key.map(str::to_owned)),
        ProviderKind::Azure => with(request, "api-key", key.map(str::to_owned)),
        ProviderKind::Bedrock if provider.extras().access_key.is_some() => Ok(aws::sign(provider, request, &outgoing)?),
        ProviderKind::Bedrock if key.is_none() && provider.extras().role.is_some() => {
            let keys = transport.roles.of(transport, provider, outgoing.deadline).await?;
            Ok(aws::sign_with(&keys, provider, request, &outgoing)?)
        }
        ProviderKind::Vertex => match key {
            // A plain key, as the express mode has them.
            Some(key) if !key.starts_with('{') => with(request, "x-goog-api-key", Some(key.to_owned())),
            _ => {
                let token = transport.tokens.of(transport, provider, outgoing.deadline).await?;
                let request = match google::quota_project(provider) {
                    Some(project) => request.header("x-goog-user-project", project),
                    None => request,
                };
                with(request, AUTHORIZATION.as_str(), Some(format!("Bearer {}", token.expose_secret())))
            }
        },
        _ => with(request, AUTHORIZATION.as_str(), key.map(|key| format!("Bearer {key}"))),
    }
}

/// The request with a secret header, or as it is without one.
fn with(request: RequestBuilder, name: &str, value: Option<String>) -> Result<RequestBuilder, Failure> {
    let Some(value) = value else {
        return Ok(request);
    };
    let unfit = |_| LlmError::Authentication {
        message: "the provider's API key contains characters that no header may hold".into(),
        status: None,
    };
    let mut value = HeaderValue::try_from(value).map_err(unfit)?;
    value.set_sensitive(true);
    let name = HeaderName::try_from(name).map_err(|_| LlmError::malformed("a header without a name"))?;
    Ok(request.header(name, value))
}
