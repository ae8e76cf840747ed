//! What a game says of its player before it connects.

use super::trust::Trust;
use std::sync::Arc;
use tickwire_protocol::client::{ClientConfig, GameForm, SessionConfig};
use tickwire_protocol::game::{FingerprintError, Simulation};
use tickwire_protocol::limits::MAX_CREDENTIAL_BYTES;
use tickwire_protocol::message::{BoundedBytes, BoundedText, RoomWish};
use tickwire_protocol::schema::Replicate;

/// Who plays, where, and whom it trusts.
#[derive(Clone, Debug)]
pub struct PlayerOptions {
    /// The player's name. What is too long is cut.
    pub name: String,
    /// The room: any ([`RoomWish::QuickPlay`], the default), one by id, a private one by code, or a new one.
    pub room: RoomWish,
    /// The name that the server hosts the game under, if it is another than the game's own.
    pub game_name: Option<String>,
    /// Which servers are trusted over TLS.
    pub trust: Trust,
    /// What the server's operator asks for.
    pub credential: Option<BoundedBytes<MAX_CREDENTIAL_BYTES>>,
    /// Whether it only watches.
    pub spectator: bool,
    /// The program and its version, for the server's log.
    pub software: Option<String>,
    /// The seed of what is random in the client: when it tries to connect again. `None` takes one from the
    /// system, as it should be where many clients run.
    pub seed: Option<u64>,
}

impl PlayerOptions {
    /// A player of any room, who trusts whom this machine trusts.
    #[must_use]
    pub fn new(name: &str) -> PlayerOptions {
        PlayerOptions {
            name: name.to_owned(),
            room: RoomWish::QuickPlay,
            game_name: None,
            trust: Trust::system(),
            credential: None,
            spectator: false,
            software: None,
            seed: None,
        }
    }

    /// The settings of the client core.
    pub(super) fn client<S: Simulation>(&self, seed: u64) -> Result<ClientConfig, FingerprintError> {
        let game = match &self.game_name {
            Some(name) => {
                GameForm::new(BoundedText::cut(name), S::fingerprint()?, S::schema()?, &S::Input::kind())?
            }
            None => GameForm::of::<S>()?,
        };
        let session = SessionConfig {
            room: self.room,
            credential: self.credential.clone(),
            spectator: self.spectator,
            software: self.software.as_deref().map(BoundedText::cut),
            ..SessionConfig::new(Arc::new(game), &self.name)
        };
        Ok(ClientConfig::new(session, seed))
    }
}
