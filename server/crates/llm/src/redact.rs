//! Provider messages, made fit to be shown: bounded, and without the keys that some providers echo.

use secrecy::ExposeSecret;

use crate::provider::Provider;

/// Longest message that leaves this crate, in characters.
const MAX_CHARS: usize = 2000;
/// Shorter keys are placeholders of local servers ("none", "test") and would only mangle words.
const MIN_KEY: usize = 8;

/// Removes one provider's secrets from texts.
#[derive(Clone)]
pub(crate) struct Redactor(Vec<secrecy::SecretString>);

impl Redactor {
    pub fn of(provider: &Provider) -> Self {
        Self(provider.secrets().cloned().collect())
    }

    #[cfg(test)]
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// `text` without the secrets and no longer than a client should see.
    pub fn clean(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.0.iter().map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= MIN_KEY) {
            text = text.replace(secret, "[redacted]");
        }
        if let Some((cut, _)) = text.char_indices().nth(MAX_CHARS) {
            text.truncate(cut);
            text.push('…');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_vanish_and_long_texts_are_cut_at_a_character() {
        let redactor = Redactor(vec!["sk-0123456789".to_owned().into()]);
        assert_eq!(redactor.clean("wrong key sk-0123456789!"), "wrong key [redacted]!");
        let long = redactor.clean(&"é".repeat(5000));
        assert_eq!(long.chars().count(), MAX_CHARS + 1);
        assert_eq!(Redactor(vec!["test".to_owned().into()]).clean("a test failed"), "a test failed");
    }
}
