//! A Databento API key and a challenge in, the answer to it out. The key is never shown.

use alloc::{format, string::String};
use core::fmt;
use sha2::{Digest, Sha256};

/// Characters of a key; the official clients refuse any other number.
const KEY_LEN: usize = 32;

/// Characters of the key that the answer ends with: the gateway finds the account by them.
const BUCKET_LEN: usize = 5;

/// An API key. Printing shows none of it, and its memory is overwritten when it is dropped.
pub struct Key([u8; KEY_LEN]);

impl Key {
    /// The key in `text`; the message says what is wrong without repeating it.
    pub fn new(text: &str) -> Result<Key, String> {
        let text = text.trim();
        match <[u8; KEY_LEN]>::try_from(text.as_bytes()) {
            Ok(key) if key.iter().all(u8::is_ascii_graphic) => Ok(Key(key)),
            Ok(_) => Err("the API key has characters that are no printable ASCII".into()),
            Err(_) => Err(format!("the API key has {} bytes instead of {KEY_LEN}", text.len())),
        }
    }

    /// The answer to a challenge: SHA-256 of `nonce|key` in hexadecimal, `-`, the key's end.
    pub fn answer(&self, nonce: &[u8]) -> [u8; 64 + 1 + BUCKET_LEN] {
        let mut hash = Sha256::new();
        hash.update(nonce);
        hash.update(b"|");
        hash.update(self.0);
        let mut text = [b'-'; 64 + 1 + BUCKET_LEN];
        for (pair, byte) in text.chunks_exact_mut(2).zip(hash.finalize()) {
            pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        text[65..].copy_from_slice(&self.0[KEY_LEN - BUCKET_LEN..]);
        text
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.fill(0);
        core::hint::black_box(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_one_of_the_official_clients() {
        let key = Key::new("32-character-with-lots-of-filler").unwrap();
        // echo -n 'abcd|32-character-with-lots-of-filler' | sha256sum
        let answer = key.answer(b"abcd");
        assert!(answer.ends_with(b"-iller"));
        assert_eq!(answer.len(), 70);
        assert!(format!("{key:?}").contains("hidden"));
    }

    #[test]
    fn a_key_of_another_form_is_refused_without_being_repeated() {
        for text in
            ["", "short", "0123456789abcdef0123456789abcdeff", "ä-character-with-lots-of-fille"]
        {
            let message = Key::new(text).unwrap_err();
            assert!(text.is_empty() || !message.contains(text));
        }
    }
}
