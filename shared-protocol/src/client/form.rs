//! What a client was built with: a game's schema and input, and the codecs that follow from them.

use crate::delta::{DeltaCodec, EntropyTables, TablesError};
use crate::game::{FingerprintError, Simulation};
use crate::limits::MAX_NAME_BYTES;
use crate::message::{BoundedText, InputCodec, InputKindError};
use crate::schema::{KindSchema, Replicate, Schema};
use crate::time::Micros;
use std::sync::{Arc, Mutex, PoisonError};

/// A game as its clients know it.
///
/// The codec of snapshots depends on the tick period and the entropy tables, which a room tells when it lets
/// the client in. It takes a megabyte for a large schema, so sessions of the same game share it.
#[derive(Debug)]
pub struct GameForm {
    name: BoundedText<MAX_NAME_BYTES>,
    fingerprint: u64,
    schema: Schema,
    inputs: InputCodec,
    defaults: Tables,
    /// The newest last.
    codecs: Mutex<Vec<Known>>,
}

/// Entropy tables and their id.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) id: u64,
    tables: Arc<EntropyTables>,
}

#[derive(Debug)]
struct Known {
    tables_id: u64,
    period: Micros,
    codec: Arc<DeltaCodec>,
}

/// Codecs that are kept to be shared; the oldest is dropped for one more. A process seldom has rooms of more
/// than one tick rate and tables.
const MAX_CODECS: usize = 4;

impl GameForm {
    /// The form of a game, under its own name.
    ///
    /// # Errors
    /// [`FingerprintError`] when the game's kinds or its input break a rule.
    pub fn of<S: Simulation>() -> Result<GameForm, FingerprintError> {
        let name = BoundedText::cut(S::NAME);
        Ok(GameForm::new(name, S::fingerprint()?, S::schema()?, &S::Input::kind())?)
    }

    /// The form of a game that is known by its parts alone.
    ///
    /// # Errors
    /// [`InputKindError`] when that kind cannot be an input.
    pub fn new(
        name: BoundedText<MAX_NAME_BYTES>,
        fingerprint: u64,
        schema: Schema,
        input: &KindSchema,
    ) -> Result<GameForm, InputKindError> {
        let inputs = InputCodec::new(input)?;
        let defaults = Tables::new(EntropyTables::defaults(&schema));
        Ok(GameForm { name, fingerprint, schema, inputs, defaults, codecs: Mutex::new(Vec::new()) })
    }

    /// The game's name on the server.
    #[must_use]
    pub fn name(&self) -> &BoundedText<MAX_NAME_BYTES> {
        &self.name
    }

    /// The game's fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The kinds of entity.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The codec of inputs.
    #[must_use]
    pub fn inputs(&self) -> &InputCodec {
        &self.inputs
    }

    /// The tables that a client holds without having been sent any.
    pub(super) fn defaults(&self) -> &Tables {
        &self.defaults
    }

    /// Reads tables that the server sent.
    pub(super) fn read_tables(&self, bytes: &[u8]) -> Result<Tables, TablesError> {
        Ok(Tables::new(EntropyTables::from_bytes(&self.schema, bytes)?))
    }

    /// The codec of snapshots, made at the first call with a period and tables.
    pub(super) fn codec(&self, period: Micros, tables: &Tables) -> Result<Arc<DeltaCodec>, TablesError> {
        let mut codecs = self.codecs.lock().unwrap_or_else(PoisonError::into_inner);
        let known = codecs.iter().find(|known| known.tables_id == tables.id && known.period == period);
        if let Some(known) = known {
            return Ok(known.codec.clone());
        }
        let codec = Arc::new(DeltaCodec::with_tables(&self.schema, period, &tables.tables)?);
        if codecs.len() == MAX_CODECS {
            codecs.remove(0);
        }
        codecs.push(Known { tables_id: tables.id, period, codec: codec.clone() });
        Ok(codec)
    }
}

impl Tables {
    fn new(tables: EntropyTables) -> Tables {
        Tables { id: tables.id(), tables: Arc::new(tables) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{FieldSchema, Quantization};

    #[test]
    fn codecs_are_shared_and_bounded() {
        let kind = |name: &str| KindSchema {
            name: name.to_owned(),
            fields: vec![FieldSchema::new("lit", Quantization::Bool)],
        };
        let schema = Schema::new(vec![kind("lamp")]).unwrap();
        let form = GameForm::new(BoundedText::cut("lamps"), 1, schema, &kind("press")).unwrap();
        let codec = |hertz| form.codec(Micros::period_of(hertz), form.defaults()).unwrap();
        let first = codec(30);
        assert!(Arc::ptr_eq(&first, &codec(30)));
        assert!(!Arc::ptr_eq(&first, &codec(60)));
        (10..10 + MAX_CODECS as u32).for_each(|hertz| drop(codec(hertz)));
        assert!(!Arc::ptr_eq(&first, &codec(30)), "the oldest was dropped");
        assert!(form.codecs.lock().unwrap().len() <= MAX_CODECS);
        let bytes = form.defaults().tables.to_bytes();
        assert_eq!(form.read_tables(&bytes).unwrap().id, form.defaults().id);
        assert!(form.read_tables(&bytes[1..]).is_err());
    }
}
