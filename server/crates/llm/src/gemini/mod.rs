//! Google's Gemini API: `generateContent` and `streamGenerateContent`.

mod request;
mod response;

use url::Url;

use crate::provider::Provider;

pub(crate) use request::body;
pub(crate) use response::GeminiDecoder;

/// Where a call goes; the model is a part of the path.
pub(crate) fn url(provider: &Provider, model: &str, stream: bool) -> Url {
    let model = model.strip_prefix("models/").unwrap_or(model);
    let action = if stream { "streamGenerateContent" } else { "generateContent" };
    let mut url = provider.versioned(&format!("models/{model}:{action}"));
    if stream {
        url.query_pairs_mut().append_pair("alt", "sse");
    }
    url
}
