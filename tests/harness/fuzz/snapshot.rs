//! Snapshots from anywhere: the decoder applies each whole or not at all.

use crate::world::schema;
use std::sync::Arc;
use std::sync::OnceLock;
use tickwire_protocol::delta::DeltaCodec;
use tickwire_protocol::limits::MAX_VISIBLE;
use tickwire_protocol::snapshot::{SnapshotDecoder, StreamProfile, View};
use tickwire_protocol::time::{Micros, Tick};

/// A stream of snapshots: the first byte picks the profile, then each message is a length byte and its bytes.
/// After each one the decoder holds what it held before, or something that is valid throughout.
///
/// # Panics
/// When it does not.
pub fn snapshot(data: &[u8]) {
    static CODEC: OnceLock<Arc<DeltaCodec>> = OnceLock::new();
    let codec = CODEC.get_or_init(|| Arc::new(DeltaCodec::new(&schema(), Micros::period_of(30))));
    let Some((&choice, mut rest)) = data.split_first() else { return };
    let has_avatar = choice & 1 == 1;
    let profile = StreamProfile { has_avatar, predicts: has_avatar && choice & 2 == 2, capacity: 300 };
    let mut decoder = SnapshotDecoder::new(codec.clone(), profile, Tick(u32::from(choice)));
    while let Some((&length, after)) = rest.split_first() {
        let (body, after) = after.split_at(usize::from(length).min(after.len()));
        rest = after;
        let before = decoder.newest().map(|view| (view.tick, view.check()));
        let expected = [choice; 24];
        let applied = decoder.begin(body).and_then(|incoming| incoming.apply(Some(&expected)));
        let now = decoder.newest().map(|view| (view.tick, view.check()));
        match applied {
            Err(_) => assert_eq!(before, now, "a refused snapshot changes nothing"),
            Ok(applied) => {
                assert!(before.is_none_or(|before| before.0 < applied.tick));
                check(codec, decoder.newest().expect("a snapshot was applied"));
            }
        }
    }
}

fn check(codec: &DeltaCodec, view: &View) {
    assert!(view.entries().len() <= MAX_VISIBLE);
    assert!(view.entries().windows(2).all(|pair| pair[0].index < pair[1].index));
    for entry in view.entries() {
        let kind = codec.kind(entry.kind).expect("kinds are checked");
        kind.check(view.state(entry)).expect("every state is valid");
        assert!(entry.index.0 < 300 && entry.told <= view.tick);
    }
}
