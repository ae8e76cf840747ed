//! What a page is told of a game: the names of what comes and goes as numbers.

use serde::Serialize;
use tickwire_protocol::game::{FingerprintError, InputPolicy, Simulation};
use tickwire_protocol::schema::{KindSchema, Replicate};

/// A game as a page knows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Whether its client predicts an avatar.
    pub predicts: bool,
    /// Numbers in a row of the scene: the entity's index, its kind, and the components.
    pub stride: usize,
    /// The kinds of entity, each at the place of its number.
    pub kinds: Vec<KindDescription>,
    /// The input.
    pub input: KindDescription,
    /// The names of how things stand.
    pub states: &'static [&'static str],
    /// The names of the figures of the net graph.
    pub stats: &'static [&'static str],
}

/// A kind, or the input.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KindDescription {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<FieldDescription>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldDescription {
    /// Its name.
    pub name: String,
    /// The place of its first component among those of the kind.
    pub place: usize,
    /// How many components it has.
    pub components: usize,
}

/// Numbers in a row before the components.
pub(crate) const HEAD: usize = 2;

/// The names of [`ClientState`](tickwire_protocol::client::ClientState)'s variants.
pub(crate) const STATES: &[&str] = &["connecting", "loading", "playing", "reconnecting", "waiting", "ended"];

impl Description {
    /// The description of a game.
    ///
    /// # Errors
    /// [`FingerprintError`] when its kinds break a rule.
    pub fn of<S: Simulation>() -> Result<Description, FingerprintError> {
        let schema = S::schema()?;
        let kinds: Vec<_> = schema.kinds().iter().map(KindDescription::of).collect();
        Ok(Description {
            name: S::NAME.to_owned(),
            predicts: matches!(S::INPUT_POLICY, InputPolicy::PerTick(_)),
            stride: HEAD + kinds.iter().map(KindDescription::components).max().unwrap_or(0),
            kinds,
            input: KindDescription::of(&S::Input::kind()),
            states: STATES,
            stats: crate::figures::STATS,
        })
    }
}

impl KindDescription {
    fn of(kind: &KindSchema) -> KindDescription {
        let mut place = 0;
        let fields = kind.fields.iter().map(|field| {
            let components = field.quantization.components();
            place += components;
            FieldDescription { name: field.name.clone(), place: place - components, components }
        });
        KindDescription { name: kind.name.clone(), fields: fields.collect() }
    }

    fn components(&self) -> usize {
        self.fields.last().map_or(0, |last| last.place + last.components)
    }
}
