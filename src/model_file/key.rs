//! The secret that models are signed with.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A secret key of any length. It never appears in `Debug` output or in the file.
///
/// Keys can't be compared: how long that takes could tell how much of one was guessed.
/// ```compile_fail,E0369
/// # use postroom::model_file::SecretKey;
/// SecretKey::new("one") == SecretKey::new("other")
/// # ;
/// ```
#[derive(Clone)]
pub struct SecretKey(Vec<u8>);

impl SecretKey {
    /// Takes the key's bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// A signature in the making.
    pub(super) fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length")
    }

    /// What tells two keys apart without telling what they are: eight bytes of a signature of a fixed text.
    pub(super) fn id(&self) -> [u8; 8] {
        let digest = self
            .mac()
            .chain_update(b"postroom: id of the signing key")
            .finalize()
            .into_bytes();
        *digest.first_chunk().expect("a SHA-256 digest has 32 bytes")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_does_not_show_the_key() {
        assert_eq!(format!("{:?}", SecretKey::new("hunter2")), "SecretKey(…)");
    }

    #[test]
    fn keys_have_different_ids() {
        assert_ne!(SecretKey::new("a").id(), SecretKey::new("b").id());
    }
}
