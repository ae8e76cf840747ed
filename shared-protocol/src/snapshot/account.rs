//! Where the bits of snapshots went.

use crate::id::KindId;

/// The bits of snapshots by what they told, summed up by whoever reads them:
/// [`Incoming::apply_counted`](super::Incoming::apply_counted). Of a snapshot that is refused, what was read
/// of it is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotAccount {
    /// Snapshots.
    pub snapshots: u64,
    /// Tick, baselines, consumed inputs, input lead.
    pub header_bits: u64,
    /// The own avatar and its check.
    pub avatar_bits: u64,
    /// Who left, who entered and of which kind, who changed.
    pub list_bits: u64,
    /// What fills the last byte up.
    pub padding_bits: u64,
    /// The states of those that entered, by kind; kinds beyond the end have none.
    pub entered: Vec<KindAccount>,
    /// The deltas of those that changed, by kind; kinds beyond the end have none.
    pub changed: Vec<KindAccount>,
}

/// What the entities of one kind took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindAccount {
    /// Entities that were told of.
    pub told: u64,
    /// Their bits.
    pub bits: u64,
}

impl SnapshotAccount {
    /// All bits.
    #[must_use]
    pub fn bits(&self) -> u64 {
        let of_kinds: u64 = self.entered.iter().chain(&self.changed).map(|kind| kind.bits).sum();
        self.header_bits + self.avatar_bits + self.list_bits + self.padding_bits + of_kinds
    }

    /// Adds what another account has.
    pub fn add(&mut self, other: &SnapshotAccount) {
        self.snapshots += other.snapshots;
        self.header_bits += other.header_bits;
        self.avatar_bits += other.avatar_bits;
        self.list_bits += other.list_bits;
        self.padding_bits += other.padding_bits;
        for (kinds, others) in [(&mut self.entered, &other.entered), (&mut self.changed, &other.changed)] {
            for (kind, more) in others.iter().enumerate() {
                let sum = of_kind(kinds, kind);
                (sum.told, sum.bits) = (sum.told + more.told, sum.bits + more.bits);
            }
        }
    }

    pub(super) fn count_entered(&mut self, kind: KindId, bits: usize) {
        count(&mut self.entered, kind, bits);
    }

    pub(super) fn count_changed(&mut self, kind: KindId, bits: usize) {
        count(&mut self.changed, kind, bits);
    }
}

fn count(kinds: &mut Vec<KindAccount>, kind: KindId, bits: usize) {
    let sum = of_kind(kinds, usize::from(kind.0));
    (sum.told, sum.bits) = (sum.told + 1, sum.bits + bits as u64);
}

fn of_kind(kinds: &mut Vec<KindAccount>, kind: usize) -> &mut KindAccount {
    if kinds.len() <= kind {
        kinds.resize(kind + 1, KindAccount::default());
    }
    &mut kinds[kind]
}
