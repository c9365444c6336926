//! Google's Gemini API: `generateContent` and `streamGenerateContent`.

mod request;
mod response;

use secrecy::ExposeSecret;
use url::Url;

use crate::{auth::project_of, kinds::ProviderKind, provider::Provider};

/// Where models run unless a region was named.
const LOCATION: &str = "global";

pub(crate) use request::body;
pub(crate) use response::GeminiDecoder;

/// Where a call goes; the model is a part of the path.
pub(crate) fn url(provider: &Provider, model: &str, stream: bool) -> Url {
    let action = if stream { "streamGenerateContent" } else { "generateContent" };
    let mut url = model_url(provider, model, action);
    if stream {
        url.query_pairs_mut().append_pair("alt", "sse");
    }
    url
}

/// Something that is done with a model.
pub(crate) fn model_url(provider: &Provider, model: &str, action: &str) -> Url {
    let model = model.strip_prefix("models/").unwrap_or(model);
    if provider.kind() != ProviderKind::Vertex {
        return provider.versioned(&format!("models/{model}:{action}"));
    }
    let place = match project(provider) {
        Some(project) => {
            let location = provider.extras().region.as_deref().unwrap_or(LOCATION);
            format!("projects/{project}/locations/{location}/")
        }
        // The express mode knows the project by the key.
        None => String::new(),
    };
    provider.versioned(&format!("{place}publishers/google/models/{model}:{action}"))
}

/// The project that pays: the one that was named, else that of the service account.
pub(crate) fn project(provider: &Provider) -> Option<String> {
    let named = provider.extras().project.clone();
    named.or_else(|| project_of(provider.api_key()?.expose_secret()))
}
