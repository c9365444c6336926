//! Encryption of secrets at rest: XChaCha20-Poly1305 under the store's master key.
//!
//! What is stored is `v2.`, the key's id, a dot, and the base64 of a 24-byte nonce and the ciphertext; earlier versions
//! wrote `v1.` without an id. The place of a secret (its organisation, owner and name) is authenticated with it, so that
//! a ciphertext copied into another row does not decrypt there.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Payload},
};

use crate::{MasterKey, Result, StoreError};

const VERSION: &str = "v2.";
/// Before keys had ids.
const WITHOUT_ID: &str = "v1.";
const NONCE_BYTES: usize = 24;

/// Encrypts and decrypts secrets.
pub(crate) struct Secrets {
    cipher: XChaCha20Poly1305,
    key_id: String,
}

/// Where a secret belongs: organisation, owner, name.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a>(pub(crate) &'a str, pub(crate) &'a str, pub(crate) &'a str);

impl Place<'_> {
    /// The parts with their lengths before them, so that no two places look alike.
    fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.0, self.1, self.2] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

impl Secrets {
    pub(crate) fn new(key: &MasterKey) -> Self {
        Self { cipher: XChaCha20Poly1305::new(key.bytes().into()), key_id: key.id() }
    }

    /// The id of the key.
    pub(crate) fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Encrypts a secret for its place.
    ///
    /// The nonce comes from the operating system and not from the injected randomness: a source that repeats
    /// itself would give secrets away.
    pub(crate) fn seal(&self, place: Place<'_>, secret: &str) -> Result<String> {
        let nonce = XNonce::try_generate().map_err(|_| StoreError::Unavailable("no randomness".into()))?;
        let mut sealed = nonce.to_vec();
        let payload = Payload { msg: secret.as_bytes(), aad: &place.bytes() };
        sealed.extend(self.cipher.encrypt(&nonce, payload).map_err(|_| failure("encryption"))?);
        Ok(format!("{VERSION}{}.{}", self.key_id, STANDARD_NO_PAD.encode(sealed)))
    }

    /// Decrypts a secret of a place.
    pub(crate) fn open(&self, place: Place<'_>, stored: &str) -> Result<String> {
        let text = match (stored.strip_prefix(VERSION), stored.strip_prefix(WITHOUT_ID)) {
            (Some(rest), _) => {
                let (key_id, text) = rest.split_once('.').ok_or_else(|| failure("no key's id"))?;
                if key_id != self.key_id {
                    return Err(failure("encrypted under another master key"));
                }
                text
            }
            (None, Some(text)) => text,
            (None, None) => return Err(failure("unknown version")),
        };
        let sealed = STANDARD_NO_PAD.decode(text).map_err(|_| failure("no base64"))?;
        let (nonce, ciphertext) = sealed.split_at_checked(NONCE_BYTES).ok_or_else(|| failure("too short"))?;
        let nonce = XNonce::try_from(nonce).map_err(|_| failure("nonce"))?;
        let payload = Payload { msg: ciphertext, aad: &place.bytes() };
        let secret = self.cipher.decrypt(&nonce, payload).map_err(|_| failure("wrong master key, or changed"))?;
        String::from_utf8(secret).map_err(|_| failure("no text"))
    }
}

fn failure(what: &str) -> StoreError {
    StoreError::Corrupt(format!("secret: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_with_its_key_and_in_its_place() {
        let secrets = Secrets::new(&MasterKey::new([7; 32]));
        let place = Place("org-1", "agent-1", "TOKEN");
        let stored = secrets.seal(place, "s3crét").unwrap();
        assert!(stored.starts_with(&format!("v2.{}.", MasterKey::new([7; 32]).id())) && !stored.contains("s3cr"));
        assert_eq!(secrets.open(place, &stored).unwrap(), "s3crét");
        let of_before = format!("v1.{}", stored.rsplit('.').next().unwrap());
        assert_eq!(secrets.open(place, &of_before).unwrap(), "s3crét");
        assert_ne!(stored, secrets.seal(place, "s3crét").unwrap(), "a nonce is used once");

        for elsewhere in
            [Place("org-2", "agent-1", "TOKEN"), Place("org-1", "agent-2", "TOKEN"), Place("org-1", "agent-1", "T")]
        {
            assert!(matches!(secrets.open(elsewhere, &stored), Err(StoreError::Corrupt(_))));
        }
        let other = Secrets::new(&MasterKey::new([8; 32]));
        for text in [&stored, &of_before, &stored.replace(secrets.key_id(), other.key_id())] {
            assert!(matches!(other.open(place, text), Err(StoreError::Corrupt(_))));
        }
        for broken in ["", "v1.", "v1.!!", "v2.AAAA", "v2..", "v3.AAAA", "plain", &stored[..stored.len() - 2]] {
            assert!(matches!(secrets.open(place, broken), Err(StoreError::Corrupt(_))), "{broken}");
        }
    }
}
