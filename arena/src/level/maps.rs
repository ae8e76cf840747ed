//! The levels in the box.

use super::{Map, MapError, text};
use serde::{Deserialize, Serialize};

/// The text of a level, and what it is called in messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapSource {
    /// The file that it is from.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// The levels in the box: the file's name and its text.
pub const BUILT_IN: [(&str, &str); 3] = [
    ("foundry.txt", include_str!("../../../assets/maps/foundry.txt")),
    ("cloister.txt", include_str!("../../../assets/maps/cloister.txt")),
    ("steppe.txt", include_str!("../../../assets/maps/steppe.txt")),
];

impl MapSource {
    /// The levels in the box.
    #[must_use]
    pub fn built_in() -> Vec<MapSource> {
        let source =
            |(file, text): &(&str, &str)| MapSource { file: (*file).to_owned(), text: (*text).to_owned() };
        BUILT_IN.iter().map(source).collect()
    }

    /// Reads the level.
    ///
    /// # Errors
    /// [`MapError`] for a text that is none.
    pub fn read(&self) -> Result<Map, MapError> {
        text::parse(self.text.as_bytes())
    }
}
