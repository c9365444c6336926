//! Keyed BLAKE3 over artefacts, under a random key that never leaves the cache folder. The largest artefact has 60 MB, and
//! is checked before the first program runs: this takes a third of the time of an HMAC with SHA-256.

use std::io::{self, Read};
use std::path::Path;

use blake3::{Hash, Hasher};

use super::{ContentHash, folder};

const LENGTH: usize = 32;
/// What is computed; artefacts under another code are in another folder.
pub const ALGORITHM: &[u8] = b"blake3 keyed";

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

    /// The artefact of a component's code: the code, then the MAC. The code comes first so that the file can be
    /// mapped as it is.
    pub fn signed(&self, hash: &ContentHash, mut code: Vec<u8>) -> Vec<u8> {
        let mac = self.begun(hash).update(&code).finalize();
        code.extend_from_slice(mac.as_bytes());
        code
    }

    /// Whether `length` bytes are an artefact that was signed for this component. They are read piece by piece: an
    /// artefact can be larger than what the process should hold.
    pub fn verifies(&self, hash: &ContentHash, mut artefact: impl Read, length: u64) -> io::Result<bool> {
        const PIECE: usize = 1 << 20;
        let Some(mut left) = length.checked_sub(LENGTH as u64) else { return Ok(false) };
        let mut mac = self.begun(hash);
        let mut piece = vec![0; PIECE];
        while left > 0 {
            let part = &mut piece[..PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
            artefact.read_exact(part)?;
            mac.update(part);
            left -= part.len() as u64;
        }
        let mut found = [0; LENGTH];
        artefact.read_exact(&mut found)?;
        // This comparison takes the same time wherever they differ.
        Ok(Hash::from_bytes(found) == mac.finalize())
    }

    fn begun(&self, hash: &ContentHash) -> Hasher {
        let mut mac = Hasher::new_keyed(&self.0);
        mac.update(hash);
        mac
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
    fn only_the_same_key_component_and_code_verify() {
        let (key, hash) = (Key([7; LENGTH]), [1; 32]);
        let artefact = key.signed(&hash, b"code".to_vec());
        assert_eq!(artefact[..4], *b"code");
        let verifies = |key: &Key, hash: &ContentHash, artefact: &[u8]| {
            key.verifies(hash, artefact, artefact.len() as u64).expect("read")
        };
        assert!(verifies(&key, &hash, &artefact));
        assert!(!verifies(&key, &[2; 32], &artefact));
        assert!(!verifies(&Key([8; LENGTH]), &hash, &artefact));
        for index in 0..artefact.len() {
            let mut damaged = artefact.clone();
            damaged[index] ^= 1;
            assert!(!verifies(&key, &hash, &damaged), "byte {index}");
        }
        assert!(!verifies(&key, &hash, &artefact[1..]));
        assert!(!verifies(&key, &hash, b"short"));
        assert!(key.verifies(&hash, &artefact[..5], artefact.len() as u64).is_err(), "cut off meanwhile");
    }
}
