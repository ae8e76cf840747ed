//! Resume tokens as the server keeps them: hashed, so that a look into its memory gives none away.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::Rng;
use sha2::{Digest, Sha256};
use tickwire_protocol::message::ResumeToken;

/// The SHA-256 of a resume token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of no token.
    pub(crate) const NONE: TokenHash = TokenHash([0; 32]);

    /// The hash of a token.
    #[must_use]
    pub fn of(token: &ResumeToken) -> TokenHash {
        TokenHash(Sha256::digest(token.bytes()).into())
    }
}

/// A new token.
pub(crate) fn new_token(random: &mut ChaCha20Rng) -> ResumeToken {
    loop {
        let mut bytes = [0; 16];
        random.fill_bytes(&mut bytes);
        // All zeros is the one text that is no token.
        if let Ok(token) = ResumeToken::new(bytes) {
            return token;
        }
    }
}
