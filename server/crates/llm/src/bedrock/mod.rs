//! Amazon Bedrock's Converse API: one wire for the models of every maker there.

mod embed;
mod request;
mod response;

use url::Url;

use crate::provider::{Provider, join};

pub(crate) use embed::{embedding, read_embeddings, texts_per_call};
pub(crate) use request::body;
pub(crate) use response::ConverseDecoder;

/// Where a call goes; the model is a part of the path, as are the colons and slashes of its name.
pub(crate) fn url(provider: &Provider, model: &str, action: &str) -> Url {
    let model = model.replace('%', "%25").replace('/', "%2F").replace(':', "%3A");
    join(provider.base_url(), &format!("model/{model}/{action}"))
}

/// Where models are listed: a host of its own at AWS, the same one behind a gateway.
pub(crate) fn control(provider: &Provider, path: &str) -> Url {
    let mut base = provider.base_url().clone();
    if let Some(rest) = base.host_str().and_then(|host| host.strip_prefix("bedrock-runtime.")).map(str::to_owned) {
        // A host that was valid with the longer name is valid with the shorter one.
        let _ = base.set_host(Some(&format!("bedrock.{rest}")));
    }
    join(&base, path)
}
