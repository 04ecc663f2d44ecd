//! The envelope: magic, version, which key, length, signature, payload.
//!
//! ```text
//! offset  bytes
//!      0      8  magic "POSTROOM"
//!      8      4  format version, u32
//!     12      8  id of the signing key
//!     20      8  length of the payload, u64
//!     28     32  HMAC-SHA256 over bytes 0 to 28 and the payload
//!     60      …  payload
//! ```
//! Numbers are little-endian.

use std::convert::Infallible;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{ModelFileProblem, SecretKey};

/// What every model file begins with.
pub const MAGIC: [u8; 8] = *b"POSTROOM";

const VERSION_OFFSET: usize = MAGIC.len();
const KEY_ID_OFFSET: usize = VERSION_OFFSET + size_of::<u32>();
const LENGTH_OFFSET: usize = KEY_ID_OFFSET + 8;
const SIGNATURE_OFFSET: usize = LENGTH_OFFSET + size_of::<u64>();
const PAYLOAD_OFFSET: usize = SIGNATURE_OFFSET + 32;

/// A payload in an envelope without its signature.
pub(super) struct Unsigned {
    bytes: Vec<u8>,
    /// Knows the key, and nothing of the bytes.
    signature: Hmac<Sha256>,
}

/// Puts a payload in an envelope: `append` gets the envelope and returns it with the payload behind it.
pub(super) fn enclose(version: u32, key: &SecretKey, append: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Unsigned {
    let mut bytes = append(vec![0; PAYLOAD_OFFSET]);
    let (header, payload) = bytes.split_at_mut(PAYLOAD_OFFSET);
    header[..VERSION_OFFSET].copy_from_slice(&MAGIC);
    header[VERSION_OFFSET..KEY_ID_OFFSET].copy_from_slice(&version.to_le_bytes());
    header[KEY_ID_OFFSET..LENGTH_OFFSET].copy_from_slice(&key.id());
    header[LENGTH_OFFSET..SIGNATURE_OFFSET].copy_from_slice(&(payload.len() as u64).to_le_bytes());
    Unsigned {
        bytes,
        signature: key.mac(),
    }
}

impl Unsigned {
    /// Bytes, those of the signature among them.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of the file.
    pub(super) fn sign(self) -> Vec<u8> {
        match self.sign_in_pieces(usize::MAX, |_, _| Ok::<_, Infallible>(())) {
            Ok(signed) => signed,
        }
    }

    /// The same, a piece of so many bytes after the other: each but the first, which the signature is in, is given to
    /// `visit` before it is signed, with its offset. A piece is longer than an envelope.
    ///
    /// # Errors
    /// That of `visit`.
    pub(super) fn sign_in_pieces<E>(
        mut self,
        n_bytes: usize,
        mut visit: impl FnMut(usize, &[u8]) -> Result<(), E>,
    ) -> Result<Vec<u8>, E> {
        let n_first = n_bytes.min(self.bytes.len());
        let (first, rest) = self.bytes.split_at_mut(n_first);
        self.signature.update(&first[..SIGNATURE_OFFSET]);
        self.signature.update(&first[PAYLOAD_OFFSET..]);
        let mut offset = first.len();
        for piece in rest.chunks(n_bytes) {
            visit(offset, piece)?;
            self.signature.update(piece);
            offset += piece.len();
        }
        let signature = self.signature.finalize().into_bytes();
        first[SIGNATURE_OFFSET..PAYLOAD_OFFSET].copy_from_slice(&signature);
        Ok(self.bytes)
    }
}

/// Takes the payload out, after everything about the envelope was checked, the signature in constant time.
pub(super) fn open<'a>(bytes: &'a [u8], version: u32, key: &SecretKey) -> Result<&'a [u8], ModelFileProblem> {
    let envelope = Envelope::of(bytes, version)?;
    if envelope.key_id != key.id() {
        return Err(ModelFileProblem::WrongKey);
    }
    let payload = envelope.payload()?;
    let signed = key
        .mac()
        .chain_update(&envelope.header[..SIGNATURE_OFFSET])
        .chain_update(payload);
    match signed.verify_slice(&envelope.header[SIGNATURE_OFFSET..]) {
        Ok(()) => Ok(payload),
        Err(_) => Err(ModelFileProblem::corrupt(
            "its signature does not match its content",
        )),
    }
}

/// An envelope of a known version, its signature unchecked.
pub(super) struct Envelope<'a> {
    /// The key that it says it was signed with.
    pub(super) key_id: [u8; 8],
    header: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Bytes of an envelope, before the payload.
    pub(super) const BYTES: usize = PAYLOAD_OFFSET;

    /// Reads what no key is needed for.
    pub(super) fn of(bytes: &'a [u8], version: u32) -> Result<Self, ModelFileProblem> {
        let shown = MAGIC.len().min(bytes.len());
        if bytes[..shown] != MAGIC[..shown] {
            return Err(ModelFileProblem::corrupt("it does not begin as a model does"));
        }
        let Some((header, rest)) = bytes.split_at_checked(PAYLOAD_OFFSET) else {
            return Err(ModelFileProblem::Truncated {
                expected: PAYLOAD_OFFSET as u64,
                found: bytes.len() as u64,
            });
        };
        let found = u32::from_le_bytes(array_at(header, VERSION_OFFSET));
        if found != version {
            return Err(ModelFileProblem::Incompatible {
                found,
                supported: version,
            });
        }
        Ok(Self {
            key_id: array_at(header, KEY_ID_OFFSET),
            header,
            rest,
        })
    }

    /// The payload, which has as many bytes as the envelope says.
    pub(super) fn payload(&self) -> Result<&'a [u8], ModelFileProblem> {
        let length = u64::from_le_bytes(array_at(self.header, LENGTH_OFFSET));
        let found = self.rest.len() as u64;
        if found < length {
            let envelope = PAYLOAD_OFFSET as u64;
            return Err(ModelFileProblem::Truncated {
                expected: length.saturating_add(envelope),
                found: found + envelope,
            });
        }
        if found > length {
            let problem = format!("{} bytes follow its end", found - length);
            return Err(ModelFileProblem::corrupt(problem));
        }
        Ok(self.rest)
    }
}

fn array_at<const N: usize>(header: &[u8], offset: usize) -> [u8; N] {
    header[offset..]
        .first_chunk()
        .copied()
        .expect("the header's length was checked")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SecretKey {
        SecretKey::new("a key")
    }

    fn sealed_as(version: u32) -> Vec<u8> {
        enclose(version, &key(), |envelope| {
            [&envelope[..], b"the payload"].concat()
        })
        .sign()
    }

    fn sealed() -> Vec<u8> {
        sealed_as(1)
    }

    #[test]
    fn length_is_known_before_the_signature() {
        let unsigned = enclose(1, &key(), |envelope| [&envelope[..], b"the payload"].concat());
        assert_eq!(unsigned.len(), sealed().len());
    }

    #[test]
    fn what_was_sealed_comes_out() {
        assert_eq!(open(&sealed(), 1, &key()).unwrap(), b"the payload");
    }

    #[test]
    fn another_key_is_told_from_corruption() {
        let problem = open(&sealed(), 1, &SecretKey::new("another")).unwrap_err();
        assert!(matches!(problem, ModelFileProblem::WrongKey));
    }

    #[test]
    fn another_version_is_incompatible() {
        let problem = open(&sealed_as(2), 1, &key()).unwrap_err();
        assert!(matches!(
            problem,
            ModelFileProblem::Incompatible {
                found: 2,
                supported: 1
            }
        ));
    }

    #[test]
    fn every_shorter_file_is_truncated() {
        let bytes = sealed();
        for length in 0..bytes.len() {
            let problem = open(&bytes[..length], 1, &key()).unwrap_err();
            let ModelFileProblem::Truncated { expected, found } = problem else {
                panic!("{length} bytes: {problem}");
            };
            // How long the payload is stands in the envelope.
            let known = if length < Envelope::BYTES {
                Envelope::BYTES
            } else {
                bytes.len()
            };
            assert_eq!((expected, found), (known as u64, length as u64));
        }
    }

    #[test]
    fn a_longer_file_is_corrupt() {
        let bytes = [sealed(), vec![0]].concat();
        let problem = open(&bytes, 1, &key()).unwrap_err();
        assert!(
            matches!(&problem, ModelFileProblem::Corrupt(what) if what == "1 bytes follow its end"),
            "{problem}"
        );
    }

    #[test]
    fn every_flipped_bit_is_noticed_as_what_it_damages() {
        for bit in 0..8 * sealed().len() {
            let mut bytes = sealed();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let problem = open(&bytes, 1, &key()).unwrap_err();
            let right_kind = match bit / 8 {
                VERSION_OFFSET..KEY_ID_OFFSET => matches!(problem, ModelFileProblem::Incompatible { .. }),
                KEY_ID_OFFSET..LENGTH_OFFSET => matches!(problem, ModelFileProblem::WrongKey),
                LENGTH_OFFSET..SIGNATURE_OFFSET => {
                    matches!(
                        problem,
                        ModelFileProblem::Truncated { .. } | ModelFileProblem::Corrupt(_)
                    )
                }
                _ => matches!(problem, ModelFileProblem::Corrupt(_)),
            };
            assert!(right_kind, "bit {bit}: {problem}");
        }
    }

    #[test]
    fn a_file_of_another_kind_is_corrupt_however_short() {
        for bytes in [&b"SQLite format 3"[..], b"{"] {
            assert!(matches!(
                open(bytes, 1, &key()),
                Err(ModelFileProblem::Corrupt(_))
            ));
        }
    }
}
