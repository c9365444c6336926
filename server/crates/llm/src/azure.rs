//! Azure's own addresses for OpenAI's routes.

use url::Url;

use crate::provider::{Provider, join};

/// The version of Azure's API that is asked for when none is named: the newest stable one.
pub(crate) const API_VERSION: &str = "2024-10-21";
/// The last version that lists a resource's deployments; newer ones leave that to Azure's management.
const DEPLOYMENTS_VERSION: &str = "2023-03-15-preview";

/// Whether the base URL is that of the newer API, which is OpenAI's own with the deployment as the model.
pub(crate) fn is_v1(provider: &Provider) -> bool {
    provider.base_url().path().trim_end_matches('/').ends_with("/v1")
}

/// Where a call to a deployment goes.
pub(crate) fn url(provider: &Provider, deployment: &str, path: &str) -> Url {
    if is_v1(provider) {
        return join(provider.base_url(), path);
    }
    let deployment = deployment.replace('%', "%25").replace(['/', '?', '#'], "_");
    versioned(provider, &format!("openai/deployments/{deployment}/{path}"), version(provider))
}

/// Where the deployments are listed.
pub(crate) fn deployments(provider: &Provider) -> Url {
    versioned(provider, "openai/deployments", DEPLOYMENTS_VERSION)
}

/// Where the models are listed that could be deployed.
pub(crate) fn models(provider: &Provider) -> Url {
    if is_v1(provider) {
        return join(provider.base_url(), "models");
    }
    versioned(provider, "openai/models", version(provider))
}

fn version(provider: &Provider) -> &str {
    provider.extras().api_version.as_deref().unwrap_or(API_VERSION)
}

fn versioned(provider: &Provider, path: &str, version: &str) -> Url {
    let mut url = join(provider.base_url(), path);
    url.query_pairs_mut().append_pair("api-version", version);
    url
}
