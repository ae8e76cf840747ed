//! Levels: what both sides know before the first tick and nobody changes.

use crate::limits::MAX_LEVEL_BYTES;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::ops::Deref;
use std::sync::Arc;
use thiserror::Error;
use xxhash_rust::xxh64::xxh64;

/// What a game makes of a level's bytes: walls, spawn points, whatever a step looks at. Immutable.
///
/// Server and client parse the same bytes with the same code, so that a level needs no wire format of its
/// own. A game without levels says `type Level = ();`.
pub trait Level: Sized + Send + Sync + 'static {
    /// Reads a level, a text map for example. The bytes may come from the network.
    ///
    /// # Errors
    /// [`LevelError`] with a text for whoever wrote the level: it names the line and the column.
    fn parse(content: &[u8]) -> Result<Self, LevelError>;
}

/// The level of a game that has none. Its content is empty.
impl Level for () {
    fn parse(content: &[u8]) -> Result<(), LevelError> {
        if content.is_empty() { Ok(()) } else { Err(LevelError::new("this game has no levels")) }
    }
}

/// Why bytes are no level.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct LevelError(String);

impl LevelError {
    /// An error with a text for whoever wrote the level.
    #[must_use]
    pub fn new(text: impl Into<String>) -> LevelError {
        LevelError(text.into())
    }
}

/// The name of a level: the hash of its content, by which a client finds it in its cache.
///
/// It is XXH64 with seed 0: good against accidents, not against somebody who makes two levels with one name.
/// So a cache belongs to one server's address, as a browser's does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LevelId(pub u64);

impl LevelId {
    /// The name of the level with this content.
    #[must_use]
    pub fn of(content: &[u8]) -> LevelId {
        LevelId(xxh64(content, 0))
    }
}

impl std::fmt::Display for LevelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A level with its content and name, shared: a clone is three words. Saved as its content.
#[derive(Debug)]
pub struct LoadedLevel<L> {
    id: LevelId,
    content: Arc<[u8]>,
    parsed: Arc<L>,
}

impl<L: Level> LoadedLevel<L> {
    /// Reads a level and keeps its content beside it.
    ///
    /// # Errors
    /// [`LevelError`] from the game, or for more than [`MAX_LEVEL_BYTES`].
    pub fn parse(content: impl Into<Arc<[u8]>>) -> Result<LoadedLevel<L>, LevelError> {
        let content = content.into();
        if content.len() > MAX_LEVEL_BYTES {
            return Err(LevelError::new(format!("a level has at most {MAX_LEVEL_BYTES} bytes")));
        }
        let parsed = Arc::new(L::parse(&content)?);
        Ok(LoadedLevel { id: LevelId::of(&content), content, parsed })
    }
}

impl<L> LoadedLevel<L> {
    /// The level's name.
    #[must_use]
    pub fn id(&self) -> LevelId {
        self.id
    }

    /// The bytes that the level was read from.
    #[must_use]
    pub fn content(&self) -> &Arc<[u8]> {
        &self.content
    }

    /// The level itself, to keep.
    #[must_use]
    pub fn shared(&self) -> Arc<L> {
        Arc::clone(&self.parsed)
    }
}

impl<L> Deref for LoadedLevel<L> {
    type Target = L;

    fn deref(&self) -> &L {
        &self.parsed
    }
}

impl<L> Clone for LoadedLevel<L> {
    fn clone(&self) -> LoadedLevel<L> {
        LoadedLevel { id: self.id, content: Arc::clone(&self.content), parsed: Arc::clone(&self.parsed) }
    }
}

impl<L> Serialize for LoadedLevel<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.content[..].serialize(serializer)
    }
}

impl<'de, L: Level> Deserialize<'de> for LoadedLevel<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LoadedLevel<L>, D::Error> {
        LoadedLevel::parse(Vec::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Width(usize);

    impl Level for Width {
        fn parse(content: &[u8]) -> Result<Width, LevelError> {
            let stray = content.iter().position(|byte| *byte != b'#');
            stray.map_or(Ok(Width(content.len())), |at| {
                Err(LevelError::new(format!("line 1, column {}: not a wall", at + 1)))
            })
        }
    }

    #[test]
    fn a_level_is_named_by_its_content_and_saved_as_it() {
        let level = LoadedLevel::<Width>::parse(&b"####"[..]).unwrap();
        assert_eq!((level.0, level.id()), (4, LevelId::of(b"####")));
        let saved = serde_json::to_string(&level).unwrap();
        let restored: LoadedLevel<Width> = serde_json::from_str(&saved).unwrap();
        assert_eq!((restored.id(), restored.0), (level.id(), 4));
        assert!(serde_json::from_str::<LoadedLevel<Width>>("[35,36]").is_err());
    }

    #[test]
    fn an_unsound_level_is_refused_with_its_own_text() {
        let error = LoadedLevel::<Width>::parse(&b"##x"[..]).unwrap_err();
        assert_eq!(error.to_string(), "line 1, column 3: not a wall");
        assert!(LoadedLevel::<Width>::parse(vec![b'#'; MAX_LEVEL_BYTES + 1]).is_err());
        assert!(LoadedLevel::<()>::parse(&b"x"[..]).is_err());
    }
}
