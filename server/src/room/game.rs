//! A game as the server knows it: what its clients must agree on, and how a match of it begins.

use super::play::{Match, Play};
use std::sync::Arc;
use thiserror::Error;
use tickwire_protocol::delta::{DeltaCodec, EntropyTables};
use tickwire_protocol::game::{FingerprintError, Game, Hosted, InputForm, InputPolicy, LevelError};
use tickwire_protocol::limits::MAX_ENTITIES;
use tickwire_protocol::message::{InputKindError, InputNumbering};
use tickwire_protocol::schema::{Schema, SchemaError};
use tickwire_protocol::time::{Micros, Tick};

/// A game in a server's list.
pub struct GameEntry {
    /// Its name there.
    pub name: String,
    /// What both ends must agree on.
    pub fingerprint: u64,
    /// Its kinds.
    pub schema: Schema,
    /// The id of the entropy tables, and their bytes.
    pub tables: (u64, Vec<u8>),
    /// How its inputs are numbered.
    pub numbering: InputNumbering,
    /// Whether its players have an avatar that a client can predict.
    pub has_avatar: bool,
    /// Entity indices are below this.
    pub capacity: u32,
    pub(super) codec: Arc<DeltaCodec>,
    begin: Box<Begin>,
}

type Begin = dyn Fn(u64) -> Result<Box<dyn Play>, GameError> + Send + Sync;

/// Why a game cannot be hosted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GameError {
    /// Its kinds break a rule.
    #[error("the game's kinds: {0}")]
    Schema(#[from] SchemaError),
    /// It has no fingerprint.
    #[error("the game: {0}")]
    Fingerprint(#[from] FingerprintError),
    /// Its input breaks a rule.
    #[error("the game's input: {0}")]
    Input(#[from] InputKindError),
    /// It has no level to begin with.
    #[error("the first level: {0}")]
    Level(#[from] LevelError),
}

impl GameEntry {
    /// A game under a name, with its settings.
    ///
    /// # Errors
    /// [`GameError`] when the game breaks a rule, or has no level to begin with.
    pub fn new<G: Game>(name: &str, config: G::Config, period: Micros) -> Result<GameEntry, GameError> {
        let schema = G::schema()?;
        let form = InputForm::<G::Input>::new()?;
        let tables = EntropyTables::defaults(&schema);
        // Whoever runs the server is to hear of a broken level now and not with the first player.
        G::first_level(&config)?;
        let codec = Arc::new(DeltaCodec::new(&schema, period));
        let begin = move |seed| -> Result<Box<dyn Play>, GameError> {
            let level = G::first_level(&config)?;
            let hosted: Hosted<G> = Hosted::new(&config, level, seed, period, FIRST_TICK);
            Ok(Box::new(Match::new(hosted, form.clone())))
        };
        Ok(GameEntry {
            name: name.to_owned(),
            fingerprint: G::fingerprint()?,
            tables: (tables.id(), tables.to_bytes()),
            numbering: match G::INPUT_POLICY {
                InputPolicy::PerTick(_) => InputNumbering::Ticks,
                InputPolicy::Stream(_) => InputNumbering::Sequence,
            },
            has_avatar: size_of::<G::Avatar>() > 0,
            capacity: G::ENTITY_CAPACITY.clamp(1, MAX_ENTITIES),
            schema,
            codec,
            begin: Box::new(begin),
        })
    }

    /// Begins a match.
    pub(super) fn begin(&self, seed: u64) -> Result<Box<dyn Play>, GameError> {
        (self.begin)(seed)
    }

    /// Whether a client can predict its avatar: inputs must be for ticks.
    #[must_use]
    pub fn is_predictable(&self) -> bool {
        self.has_avatar && self.numbering == InputNumbering::Ticks
    }
}

/// Ticks before it would be before the first, and a baseline may be that old.
const FIRST_TICK: Tick = Tick(1);
