//! Google Cloud's addresses for models, whoever made them.

use secrecy::ExposeSecret;
use url::Url;

use crate::{auth::project_of, models, provider::Provider};

/// Where models run unless a region was named.
const LOCATION: &str = "global";
/// The version of Anthropic's API that Google serves. It stands in the body, where Anthropic has the model's name.
pub(crate) const ANTHROPIC_VERSION: &str = "vertex-2023-10-16";

/// Whether a model is one of Anthropic's: Google hands the calls of those on in Anthropic's own format.
pub(crate) fn is_claude(model: &str) -> bool {
    models::claude_version(model).is_some()
}

/// Something that is done with a model of a maker.
pub(crate) fn url(provider: &Provider, maker: &str, model: &str, action: &str) -> Url {
    let place = match project(provider) {
        Some(project) => {
            let location = provider.extras().region.as_deref().unwrap_or(LOCATION);
            format!("projects/{project}/locations/{location}/")
        }
        // The express mode knows the project by the key.
        None => String::new(),
    };
    provider.versioned(&format!("{place}publishers/{maker}/models/{model}:{action}"))
}

/// Where a call to a Claude model goes.
pub(crate) fn claude_url(provider: &Provider, model: &str, stream: bool) -> Url {
    url(provider, "anthropic", model, if stream { "streamRawPredict" } else { "rawPredict" })
}

/// The project that pays: the one that was named, else that of the service account.
fn project(provider: &Provider) -> Option<String> {
    let named = provider.extras().project.clone();
    named.or_else(|| project_of(provider.api_key()?.expose_secret()))
}
