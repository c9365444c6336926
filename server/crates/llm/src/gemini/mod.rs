//! Google's Gemini API: `generateContent` and `streamGenerateContent`.

mod request;
mod response;

use url::Url;

use crate::{kinds::ProviderKind, provider::Provider, vertex};

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
    vertex::url(provider, "google", model, action)
}
