//! The name of a player: what others see, so it must not hide, reorder or overflow anything.
//!
//! A client sends any text. The server makes a name of it or refuses it, and tells the rule. What cannot be
//! seen is taken out, not refused, because it comes with pasted text. Look-alikes of different scripts are
//! not told apart.

use crate::limits::{MAX_MARKS_PER_CHARACTER, MAX_NAME_CHARACTERS, MAX_NAME_TEXT_BYTES};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A name fit to be shown: 1 to [`MAX_NAME_CHARACTERS`] visible characters in normal form C.
///
/// A visible character is a code point that is no combining mark. None of them is a control, an override of
/// the direction of writing, or without width; each carries at most [`MAX_MARKS_PER_CHARACTER`] marks; white
/// space is single spaces between other characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayerName(String);

/// The rule by which a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// The text has more than [`MAX_NAME_TEXT_BYTES`] bytes.
    #[error("a name has at most {MAX_NAME_TEXT_BYTES} bytes")]
    TooManyBytes,
    /// Nothing can be seen of it.
    #[error("a name has at least one visible character")]
    Invisible,
    /// More characters can be seen than are allowed, of a name [`MAX_NAME_CHARACTERS`].
    #[error("a name has at most {MAX_NAME_CHARACTERS} visible characters")]
    TooLong,
}

impl PlayerName {
    /// The name that a text stands for.
    ///
    /// # Errors
    /// [`NameError`] is the rule that it breaks.
    pub fn new(text: &str) -> Result<PlayerName, NameError> {
        if text.len() > MAX_NAME_TEXT_BYTES {
            return Err(NameError::TooManyBytes);
        }
        visible_text(text, MAX_NAME_CHARACTERS).map(PlayerName)
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PlayerName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What can be seen of a text from a client, by the rules of a name but for its length: for lines of chat,
/// the names of teams, and whatever else others are shown.
///
/// # Errors
/// [`NameError::Invisible`] when nothing can be seen, [`NameError::TooLong`] for more than `most` visible
/// characters.
pub fn visible_text(text: &str, most: usize) -> Result<String, NameError> {
    let mut shown = String::new();
    let (mut characters, mut marks, mut space) = (0, 0, false);
    // White space first, because some of it is a control too.
    let visible = text.chars().filter(|letter| letter.is_whitespace() || !is_invisible(*letter));
    for letter in visible.nfc() {
        if letter.is_whitespace() {
            space = true;
        } else if is_combining_mark(letter) {
            // A mark that follows no character would sit on whatever is shown before the text.
            marks += 1;
            if characters > 0 && !space && marks <= MAX_MARKS_PER_CHARACTER {
                shown.push(letter);
            }
        } else {
            if space && characters > 0 {
                shown.push(' ');
                characters += 1;
            }
            shown.push(letter);
            (characters, marks, space) = (characters + 1, 0, false);
        }
    }
    match characters {
        0 => Err(NameError::Invisible),
        _ if characters <= most => Ok(shown),
        _ => Err(NameError::TooLong),
    }
}

/// Whether a character shows nothing of its own, or changes how others are shown.
fn is_invisible(letter: char) -> bool {
    let code = u32::from(letter);
    letter.is_control()
        || code & 0xfffe == 0xfffe
        || INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&code))
}

/// Default_Ignorable_Code_Point of Unicode 16 (the bidi controls, joiners and variation selectors are in it),
/// the interlinear annotations, blank letters and symbols, what is no character, and private use.
const INVISIBLE: &[(u32, u32)] = &[
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x061c, 0x061c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xe000, 0xf8ff),
    (0xfdd0, 0xfdef),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x1_bca0, 0x1_bca3),
    (0x1_d173, 0x1_d17a),
    (0xe_0000, 0x10_ffff),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> String {
        PlayerName::new(text).unwrap().as_str().to_owned()
    }

    #[test]
    fn ordinary_names_stay() {
        for plain in ["Ada", "Zoë", "O'Neill-2", "李小龍", "Николай", "محمد", "हिन्दी", "ทดสอบ", "a b", "🦀"]
        {
            assert_eq!(name(plain), plain);
        }
    }

    #[test]
    fn what_cannot_be_seen_is_taken_out() {
        assert_eq!(name("  Ada \t\n Lovelace\u{a0} "), "Ada Lovelace");
        assert_eq!(name("A\u{7}d\u{0}a\u{9f}"), "Ada");
        assert_eq!(name("\u{202e}Ada\u{202c}\u{2066}\u{2069}\u{200f}\u{61c}"), "Ada");
        assert_eq!(name("A\u{200b}d\u{200d}\u{feff}a\u{fe0f}\u{ad}\u{2060}\u{e0041}\u{3164}"), "Ada");
        assert_eq!(name("Zoe\u{308}"), "Zoë");
    }

    #[test]
    fn marks_do_not_pile_up() {
        assert_eq!(name(&format!("x{}y", "\u{323}\u{307}\u{302}".repeat(10))).chars().count(), 2 + 3);
        assert_eq!(name("\u{301}Ada"), "Ada");
        assert_eq!(name("A \u{301}da"), "A da");
    }

    #[test]
    fn refusals_name_the_rule() {
        for nothing in ["", " ", "\u{0}\u{1}\u{1b}", "\u{200b}\u{202e}", "\u{301}\u{302}", "\u{2800}\u{3164}"]
        {
            assert_eq!(PlayerName::new(nothing), Err(NameError::Invisible), "{nothing:?}");
        }
        assert_eq!(name(&"é".repeat(MAX_NAME_CHARACTERS)).chars().count(), MAX_NAME_CHARACTERS);
        assert_eq!(PlayerName::new(&"é".repeat(MAX_NAME_CHARACTERS + 1)), Err(NameError::TooLong));
        assert_eq!(PlayerName::new(&" ".repeat(MAX_NAME_TEXT_BYTES + 1)), Err(NameError::TooManyBytes));
    }

    /// Letters with marks, marks, spaces and all that is invisible, far more often than in any text.
    fn odd_text() -> impl Strategy<Value = String> {
        let letter = prop_oneof![
            any::<char>(),
            prop::sample::select(vec![
                'a', 'é', ' ', '\u{301}', '\u{323}', '\u{308}', '\u{1100}', '\u{1161}'
            ]),
            prop::sample::select(vec!['\u{200b}', '\u{202e}', '\u{9c7}', '\u{9be}', '\u{11a8}', '\u{3000}']),
        ];
        prop::collection::vec(letter, 0..30).prop_map(String::from_iter)
    }

    proptest! {
        #[test]
        fn a_name_is_its_own_name(text in odd_text()) {
            if let Ok(name) = PlayerName::new(&text) {
                prop_assert_eq!(PlayerName::new(name.as_str()), Ok(name.clone()));
                prop_assert!(!name.as_str().chars().any(is_invisible));
                prop_assert_eq!(name.as_str().trim(), name.as_str());
            }
        }
    }
}
