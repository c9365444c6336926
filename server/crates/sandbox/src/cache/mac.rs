//! HMAC-SHA-256 over artefacts, under a random key that never leaves the cache folder.

use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{ContentHash, folder};

const LENGTH: usize = 32;
/// The block size of SHA-256.
const BLOCK: usize = 64;

/// The key of one cache folder.
pub struct Key([u8; LENGTH]);

impl Key {
    /// Reads the key, making one at the first start.
    pub fn open(path: &Path) -> io::Result<Self> {
        match folder::read_private(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            found => {
                let bytes = found?;
                if let Ok(key) = bytes.try_into() {
                    return Ok(Self(key));
                }
            }
        }
        let mut key = [0; LENGTH];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut key)?;
        folder::write_private(path, &key)?;
        // Another process may have been faster: the file decides.
        folder::read_private(path)?
            .try_into()
            .map(Self)
            .map_err(|_| io::Error::other("the key file has the wrong length"))
    }

    /// The artefact of a component's code: the MAC, then the code.
    pub fn signed(&self, hash: &ContentHash, code: &[u8]) -> Vec<u8> {
        let mut artefact = self.mac(hash, code).to_vec();
        artefact.extend_from_slice(code);
        artefact
    }

    /// The code of an artefact, if it is the one that was signed for this component.
    pub fn verified<'a>(&self, hash: &ContentHash, artefact: &'a [u8]) -> Option<&'a [u8]> {
        let (mac, code) = artefact.split_at_checked(LENGTH)?;
        (mac == self.mac(hash, code)).then_some(code)
    }

    fn mac(&self, hash: &ContentHash, code: &[u8]) -> [u8; LENGTH] {
        self.hmac(&[hash, code])
    }

    fn hmac(&self, parts: &[&[u8]]) -> [u8; LENGTH] {
        let padded = |byte: u8| {
            let mut block = [byte; BLOCK];
            for (target, key) in block.iter_mut().zip(self.0) {
                *target ^= key;
            }
            block
        };
        let mut inner = Sha256::new_with_prefix(padded(0x36));
        for part in parts {
            inner.update(part);
        }
        let inner = inner.finalize();
        Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_is_hmac_sha_256() {
        // RFC 4231, test case 1: HMAC pads its key with zeros, so the padded key gives the same code.
        let mut key = [0; LENGTH];
        key[..20].fill(0x0b);
        assert_eq!(
            super::super::hex(&Key(key).hmac(&[b"Hi ", b"There"])),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn only_the_same_key_component_and_code_verify() {
        let (key, hash) = (Key([7; LENGTH]), [1; 32]);
        let artefact = key.signed(&hash, b"code");
        assert_eq!(key.verified(&hash, &artefact), Some(&b"code"[..]));
        assert_eq!(key.verified(&[2; 32], &artefact), None);
        assert_eq!(Key([8; LENGTH]).verified(&hash, &artefact), None);
        for index in 0..artefact.len() {
            let mut damaged = artefact.clone();
            damaged[index] ^= 1;
            assert_eq!(key.verified(&hash, &damaged), None, "byte {index}");
        }
        assert_eq!(key.verified(&hash, &artefact[..artefact.len() - 1]), None);
        assert_eq!(key.verified(&hash, b"short"), None);
    }
}
