//! [`TokenBags`] as bytes, for keeping beside a model.
//!
//! Postcard of the language, the tokens, each document's number of bytes, and the entries as they lie in memory.
//! The bytes come from a file: whatever they say is checked before it is believed.

use serde::{Deserialize, Serialize};

use super::meaning::is_counted;
use super::token_bags::{TokenBags, invalid};
use super::vocabulary::Vocabulary;
use crate::error::Result;
use crate::text::{Language, is_word_character};

/// What is written. Borrowed both ways: a length in the bytes can't ask for more memory than there are bytes.
#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    language: Option<Language>,
    #[serde(borrow)]
    tokens: Vec<&'a str>,
    document_bytes: Vec<u64>,
    #[serde(borrow, with = "serde_bytes")]
    packed: &'a [u8],
}

impl TokenBags {
    /// The bags as bytes; equal bags have equal bytes.
    #[expect(
        clippy::missing_panics_doc,
        reason = "writing plain data into memory cannot fail"
    )]
    pub fn to_bytes(&self) -> Vec<u8> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let payload = Payload {
            language: self.language,
            tokens: self.tokens.iter().collect(),
            document_bytes: starts
                .zip(&self.ends)
                .map(|(start, end)| (end - start) as u64)
                .collect(),
            packed: &self.packed,
        };
        postcard::to_stdvec(&payload).expect("plain data without maps serializes into memory")
    }

    /// The bags that [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`InvalidTokenBags`](crate::Error::InvalidTokenBags) if no bags can have led to these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (payload, rest) = postcard::take_from_bytes::<Payload<'_>>(bytes)
            .or_else(|error| invalid(format!("they cannot be decoded ({error})")))?;
        if !rest.is_empty() {
            return invalid(format!("{} bytes follow them", rest.len()));
        }
        let is_token = |token: &&str| is_counted(token) && token.chars().all(is_word_character);
        if let Some(at) = payload.tokens.iter().position(|token| !is_token(token)) {
            return invalid(format!("token {at} is not two or more word characters"));
        }
        let bags = Self {
            language: payload.language,
            tokens: Vocabulary::new(payload.tokens).or_else(|error| invalid(error.to_string()))?,
            packed: payload.packed.to_vec(),
            ends: ends_of(&payload.document_bytes, payload.packed.len())?,
        };
        bags.check_entries()?;
        Ok(bags)
    }

    fn check_entries(&self) -> Result<()> {
        let mut is_used = vec![false; self.tokens.len()];
        for i in 0..self.n_documents() {
            let mut bag = self.document(i);
            for (token, _) in bag.by_ref() {
                let Some(used) = is_used.get_mut(token as usize) else {
                    return invalid(format!("document {i} has token {token} of {}", self.tokens.len()));
                };
                *used = true;
            }
            if !bag.is_whole() {
                return invalid(format!("the entries of document {i} cannot be decoded"));
            }
        }
        match is_used.iter().position(|used| !used) {
            Some(token) => invalid(format!("no document has token {token}")),
            None => Ok(()),
        }
    }
}

/// Where each document ends; all together are `n_bytes` long.
fn ends_of(document_bytes: &[u64], n_bytes: usize) -> Result<Vec<usize>> {
    let mut end = 0_u64;
    let mut ends = Vec::with_capacity(document_bytes.len());
    for &length in document_bytes {
        end = end.saturating_add(length);
        if end > n_bytes as u64 {
            break;
        }
        ends.push(end as usize);
    }
    if end != n_bytes as u64 {
        return invalid(format!(
            "the documents' lengths do not add up to the {n_bytes} bytes of entries"
        ));
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bags() -> TokenBags {
        TokenBags::of(
            Some(Language::German),
            &["Rechnung über 300 €", "", "rechnung rechnung"],
        )
        .unwrap()
    }

    fn problem(payload: &Payload<'_>) -> String {
        TokenBags::from_bytes(&postcard::to_stdvec(payload).unwrap())
            .unwrap_err()
            .to_string()
    }

    fn payload<'a>(tokens: &[&'a str], document_bytes: &[u64], packed: &'a [u8]) -> Payload<'a> {
        Payload {
            language: None,
            tokens: tokens.to_vec(),
            document_bytes: document_bytes.to_vec(),
            packed,
        }
    }

    #[test]
    fn bags_come_back() {
        assert_eq!(TokenBags::from_bytes(&bags().to_bytes()).unwrap(), bags());
        let none = TokenBags::of(None, &[""; 0]).unwrap();
        assert_eq!(TokenBags::from_bytes(&none.to_bytes()).unwrap(), none);
    }

    #[test]
    fn truncated_and_extended_bytes_are_refused() {
        let mut bytes = bags().to_bytes();
        for n_bytes in 0..bytes.len() {
            assert!(TokenBags::from_bytes(&bytes[..n_bytes]).is_err(), "{n_bytes}");
        }
        bytes.push(0);
        let message = TokenBags::from_bytes(&bytes).unwrap_err().to_string();
        assert!(message.contains("1 bytes follow"), "{message}");
    }

    #[test]
    fn no_changed_byte_is_more_than_other_bags() {
        let bytes = bags().to_bytes();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(read) = TokenBags::from_bytes(&changed) {
                    assert_eq!(TokenBags::from_bytes(&read.to_bytes()).unwrap(), read);
                }
            }
        }
    }

    #[test]
    fn count_of_billions_asks_for_no_memory() {
        // Says that 2⁶³ tokens follow.
        let mut bytes = vec![0];
        bytes.extend([0x80; 9]);
        bytes.push(1);
        assert!(TokenBags::from_bytes(&bytes).is_err());
    }

    #[test]
    fn tokens_have_to_ascend_and_be_words() {
        assert!(problem(&payload(&["due", "date"], &[2], &[0, 0])).contains("ascend"));
        for token in ["", "a", "a b", "a\0b", "-a"] {
            assert!(
                problem(&payload(&[token], &[1], &[0])).contains("token 0 is not"),
                "{token}"
            );
        }
    }

    #[test]
    fn entries_have_to_name_each_token_and_no_other() {
        assert!(problem(&payload(&["due"], &[2], &[0, 0])).contains("document 0 has token 1 of 1"));
        assert!(problem(&payload(&["due", "paid"], &[1], &[0])).contains("no document has token 1"));
        assert!(problem(&payload(&["due"], &[1], &[1])).contains("entries of document 0 cannot be decoded"));
    }

    #[test]
    fn lengths_have_to_add_up() {
        for lengths in [&[][..], &[2], &[0], &[1, 1], &[u64::MAX, 2]] {
            assert!(problem(&payload(&["due"], lengths, &[0])).contains("do not add up"));
        }
    }
}
