//! Who left, who entered, who changed: the lists in front of the entities' bit strings.
//!
//! All lists are places in rows that both ends know. Those who left are places in the baseline's entities.
//! Those who entered are indices of the room. Those who changed are told as *surprises* among the entities
//! that stay: what moved before is expected to change, all else is not, and only exceptions take bits. Last
//! come those whose delta is against an older state than the baseline tick's, because their news had to wait:
//! places among those who changed.

use super::decoder::SnapshotError;
use crate::id::{EntityIndex, KindId};
use crate::wire::bits::{BitBatch, BitReader};
use crate::wire::gaps::{batch_gaps, read_gaps};

/// The lists of a snapshot, as the server has them.
#[derive(Clone, Copy, Debug, Default)]
pub struct EntityLists<'a> {
    /// Entities of the baseline.
    pub known: u32,
    /// Places among them of those who left.
    pub left: &'a [u32],
    /// Indices and kinds of those who entered, ascending.
    pub entered: &'a [(EntityIndex, KindId)],
    /// Places among those who stay, of those who changed against expectation or did not change against it.
    pub surprises: &'a [u32],
    /// The number of those who changed.
    pub changed: u32,
    /// Places among those who changed, of those whose delta is against the state that they were last told
    /// in.
    pub late: &'a [u32],
}

/// The sizes that both ends know.
#[derive(Clone, Copy, Debug)]
pub struct ListContext {
    /// Entity indices are below this.
    pub capacity: u32,
    /// The number of kinds.
    pub kinds: usize,
}

impl ListContext {
    fn kind_bits(&self) -> u32 {
        usize::BITS - (self.kinds - 1).leading_zeros()
    }

    /// Writes the lists.
    #[inline]
    pub fn write(&self, lists: &EntityLists<'_>, batch: &mut BitBatch<'_>) {
        batch.write_bool(!lists.left.is_empty());
        if !lists.left.is_empty() {
            batch_gaps(batch, lists.known, lists.left.iter().copied());
        }
        batch.write_bool(!lists.entered.is_empty());
        if !lists.entered.is_empty() {
            batch_gaps(batch, self.capacity, lists.entered.iter().map(|(index, _)| u32::from(index.0)));
            for (_, kind) in lists.entered {
                batch.write(u64::from(kind.0), self.kind_bits());
            }
        }
        let stay = lists.known - lists.left.len() as u32;
        if stay == 0 {
            return;
        }
        batch_gaps(batch, stay, lists.surprises.iter().copied());
        if lists.changed > 0 {
            batch.write_bool(!lists.late.is_empty());
            if !lists.late.is_empty() {
                batch_gaps(batch, lists.changed, lists.late.iter().copied());
            }
        }
    }

    /// Reads who left and who entered.
    ///
    /// # Errors
    /// [`SnapshotError`] when a list is broken or a kind unknown.
    pub(crate) fn read_left_and_entered(
        &self,
        known: u32,
        reader: &mut BitReader<'_>,
        left: &mut Vec<u32>,
        entered: &mut Vec<(EntityIndex, KindId)>,
    ) -> Result<(), SnapshotError> {
        left.clear();
        entered.clear();
        if reader.read_bool()? {
            read_gaps(reader, known, |place| left.push(place))?;
        }
        if reader.read_bool()? {
            read_gaps(reader, self.capacity, |index| entered.push((EntityIndex(index as u16), KindId(0))))?;
            for (_, kind) in entered {
                let id = reader.read(self.kind_bits())? as u8;
                if usize::from(id) >= self.kinds {
                    return Err(SnapshotError::UnknownKind { kind: id });
                }
                *kind = KindId(id);
            }
        }
        Ok(())
    }

    /// Reads who changed. `changed` holds for each entity that stays whether it is expected to; it receives
    /// whether it did. `late` receives places among those who did.
    ///
    /// # Errors
    /// [`SnapshotError`] when a list is broken.
    pub(crate) fn read_changed(
        &self,
        reader: &mut BitReader<'_>,
        changed: &mut [bool],
        late: &mut Vec<u32>,
    ) -> Result<(), SnapshotError> {
        late.clear();
        if changed.is_empty() {
            return Ok(());
        }
        read_gaps(reader, changed.len() as u32, |place| {
            if let Some(changed) = changed.get_mut(place as usize) {
                *changed = !*changed;
            }
        })?;
        let count = changed.iter().filter(|changed| **changed).count() as u32;
        if count > 0 && reader.read_bool()? {
            read_gaps(reader, count, |place| late.push(place))?;
        }
        Ok(())
    }
}
