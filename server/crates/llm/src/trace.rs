//! What went over the wire, made fit to be kept: without secrets, and without the bytes of images.

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::provider::Provider;

/// Shorter texts are no images worth cutting.
const LEAST: usize = 256;
/// Shorter secrets are placeholders of local servers and would only mangle words.
const LEAST_SECRET: usize = 8;

/// Cuts images out of a body, and the provider's secrets wherever they may have got into it.
pub fn clean(provider: &Provider, body: &mut Value) {
    let secrets: Vec<&str> =
        provider.secrets().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= LEAST_SECRET).collect();
    walk(body, &secrets);
}

fn walk(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::String(text) => {
            if let Some(cut) = without_data_url(text) {
                *text = cut;
            }
            for secret in secrets {
                if text.contains(secret) {
                    *text = text.replace(secret, "[redacted]");
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, secrets)),
        Value::Object(fields) => {
            // By value, images stand beside their type (Anthropic, Gemini) or as bytes of a source (Bedrock).
            let typed = ["media_type", "mimeType"].iter().any(|key| fields.contains_key(*key));
            for (key, field) in fields {
                match field {
                    Value::String(text) if (key == "bytes" || (key == "data" && typed)) && text.len() >= LEAST => {
                        *text = cut(text.len());
                    }
                    other => walk(other, secrets),
                }
            }
        }
        _ => {}
    }
}

/// The text with its payload cut when it is a URL that holds one.
fn without_data_url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("data:").filter(|rest| rest.len() >= LEAST)?;
    let (head, payload) = rest.split_once(";base64,")?;
    (head.len() < 100).then(|| format!("data:{head};base64,{}", cut(payload.len())))
}

fn cut(characters: usize) -> String {
    format!("[{characters} characters of base64 cut]")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::ProviderKind;

    #[test]
    fn images_of_every_wire_and_secrets_are_cut_and_all_else_stays() {
        let key = "sk-0123456789".to_owned();
        let url = "https://a.example".parse().expect("url");
        let provider = Provider::new("p", ProviderKind::OpenAi, url, Some(key.into()));
        let long = "iVBO".repeat(100);
        let mut body = json!({"messages": [
            {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{long}")}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": long}},
            {"inlineData": {"mimeType": "image/png", "data": long}},
            {"image": {"format": "png", "source": {"bytes": long}}},
            {"type": "redacted_thinking", "data": long},
            {"text": "my key is sk-0123456789, data:image/png;base64,short"},
        ]});
        clean(&provider, &mut body);
        let gone = "[400 characters of base64 cut]";
        assert_eq!(
            body,
            json!({"messages": [
                {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{gone}")}},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": gone}},
                {"inlineData": {"mimeType": "image/png", "data": gone}},
                {"image": {"format": "png", "source": {"bytes": gone}}},
                {"type": "redacted_thinking", "data": long},
                {"text": "my key is [redacted], data:image/png;base64,short"},
            ]})
        );
    }
}
