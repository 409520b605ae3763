//! Challenge and response in; whether the client holds the key out.

use sha2::{Digest, Sha256};

/// Length of an API key and of a challenge.
pub const KEY_LEN: usize = 32;
/// How many of the key's last characters follow the hash, in clear.
const BUCKET_LEN: usize = 5;

/// Which API keys are good.
#[derive(Clone, Debug)]
pub enum Keys {
    /// None was configured: a well-formed answer is enough.
    Any,
    /// This one.
    One(String),
}

impl Keys {
    /// The key of the environment; a key that is not 32 characters of ASCII is refused.
    pub fn from_environment(name: &str) -> Result<Keys, String> {
        match std::env::var(name) {
            Err(_) => Ok(Keys::Any),
            Ok(key) if key.len() == KEY_LEN && key.is_ascii() => Ok(Keys::One(key)),
            Ok(key) => Err(format!(
                "{name} has {} characters; an API key has {KEY_LEN} of ASCII, or leave it unset",
                key.len()
            )),
        }
    }

    /// Whether `response` answers `nonce`.
    pub fn accept(&self, nonce: &str, response: &str) -> bool {
        match self {
            Keys::One(key) => response == answer(nonce, key),
            Keys::Any => response.split_once('-').is_some_and(|(hash, bucket)| {
                let hexadecimal = hash.bytes().all(|b| b.is_ascii_hexdigit());
                hash.len() == 64 && hexadecimal && bucket.len() == BUCKET_LEN
            }),
        }
    }
}

/// What a client that holds `key` sends: the hash of nonce and key, and the key's last characters.
pub fn answer(nonce: &str, key: &str) -> String {
    let hash = Sha256::digest(format!("{nonce}|{key}").as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let bucket = key.get(key.len().saturating_sub(BUCKET_LEN)..).unwrap_or("");
    format!("{hex}-{bucket}")
}

/// A challenge: 32 characters from whatever the caller has that differs from time to time.
pub fn nonce(salt: u64) -> String {
    let hash = Sha256::digest(salt.to_le_bytes());
    hash.iter().map(|b| char::from(b'a' + b % 26)).take(KEY_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "32-character-with-lots-of-filler";

    /// printf 'abc|32-character-with-lots-of-filler' | sha256sum
    #[test]
    fn the_answer_is_hash_and_bucket() {
        let hash = "ff0dbfd887cd630570df5ef59faa77d41a5cd5d06be1a6715429b2c907ec72ed";
        assert_eq!(answer("abc", KEY), format!("{hash}-iller"));
    }

    #[test]
    fn only_the_configured_key_is_good_and_without_one_any_well_formed_answer() {
        let one = Keys::One(KEY.into());
        assert!(one.accept("n", &answer("n", KEY)));
        assert!(!one.accept("m", &answer("n", KEY)), "an answer to another challenge");
        assert!(!one.accept("n", &answer("n", "another-key-of-thirty-two-chars!")));
        assert!(Keys::Any.accept("n", &answer("n", "another-key-of-thirty-two-chars!")));
        assert!(!Keys::Any.accept("n", "hello"));
    }

    #[test]
    fn a_nonce_has_32_letters_and_differs() {
        assert_eq!(nonce(1).len(), 32);
        assert!(nonce(1).bytes().all(|b| b.is_ascii_lowercase()));
        assert_ne!(nonce(1), nonce(2));
    }
}
