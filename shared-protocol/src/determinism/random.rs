//! The random generator that lives inside a simulation's state.
//!
//! The generator is ChaCha with 8 rounds: a named, published function from a key and a counter to 32-bit
//! words, with the same words on every machine, too well mixed for a player to foresee the next from those
//! observed. Everything that is drawn is defined here in terms of those words, so that no other crate's idea
//! of "a float" or "a range", which change between versions, has a say. The bits are pinned by known answers
//! in the tests below.

use core::fmt;

use glam::{Vec2, Vec3};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh64::xxh64;

use super::float;

/// A portable random generator that is part of the state: saved, restored and hashed with it.
///
/// The words are the little-endian key stream of ChaCha8 (D. J. Bernstein, 2008) with the seed as key, a
/// nonce of zero and a 64-bit block counter. They repeat after 2⁶⁸ words; saving keeps the position exactly
/// up to 2⁶⁴.
///
/// Equality, serialisation and so the state's hash see the seed and the number of words drawn, nothing else.
/// `Debug` leaves the seed out: who knows it knows the future.
#[derive(Clone, PartialEq, Eq)]
pub struct SimRng {
    words: ChaCha8Rng,
}

impl SimRng {
    /// The generator with the given key.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self { words: ChaCha8Rng::from_seed(seed) }
    }

    /// The generator whose key is `seed` in eight little-endian bytes followed by `"tickwire simulation
    /// seed"`.
    #[must_use]
    pub fn from_u64(seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..].copy_from_slice(SEED_PADDING);
        Self::from_seed(key)
    }

    /// A generator of its own for one purpose, such as `("loot", chest)`, independent of this one and of
    /// other forks.
    ///
    /// It depends on this generator's seed, `label` and `id`, not on what has been drawn: a system that
    /// begins to draw more does not shift the luck of another. Forking twice with the same label and id
    /// therefore gives the same sequence twice; put the tick into `id`, or keep the fork in the state.
    ///
    /// The fork's key is the first 32 bytes of the ChaCha8 key stream under this seed, with XXH64 of the
    /// label's bytes, seeded with `id`, as nonce; where that is 0, which this generator uses itself, it is 1.
    #[must_use]
    pub fn fork(&self, label: &str, id: u64) -> Self {
        let mut source = ChaCha8Rng::from_seed(self.words.get_seed());
        source.set_stream(xxh64(label.as_bytes(), id).max(1));
        let mut key = [0; 32];
        for bytes in key.chunks_exact_mut(4) {
            bytes.copy_from_slice(&source.next_u32().to_le_bytes());
        }
        Self::from_seed(key)
    }

    /// How many words have been drawn.
    #[must_use]
    pub fn words_drawn(&self) -> u64 {
        self.words.get_word_pos() as u64
    }

    /// The next word: all 32-bit values are equally likely. Draws one word.
    #[inline]
    pub fn next_u32(&mut self) -> u32 {
        self.words.next_u32()
    }

    /// Two words as one number, the first in the low half. Draws two words.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        let low = u64::from(self.next_u32());
        let high = u64::from(self.next_u32());
        high << 32 | low
    }

    /// A number in `0.0..1.0` (half open): the word's upper 24 bits times 2⁻²⁴, which is exact. Draws one
    /// word.
    #[inline]
    pub fn unit_f32(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// A number in `-1.0..1.0` (half open): the word's upper 24 bits less 2²³, times 2⁻²³, exact. Draws one
    /// word.
    #[inline]
    pub fn signed_unit_f32(&mut self) -> f32 {
        ((self.next_u32() >> 8) as i32 - 8_388_608) as f32 * (1.0 / 8_388_608.0)
    }

    /// A number between `low` and `high`: `low + (high − low) · unit`. Draws one word.
    ///
    /// The sum is rounded, so `high` itself can come out. The limits' difference has to be finite.
    #[inline]
    pub fn f32_in(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit_f32()
    }

    /// An integer from `low` to `high`, both included, all equally likely. The ends may be given in either
    /// order.
    ///
    /// Draws one word, seldom more: see [`u32_up_to`](Self::u32_up_to).
    #[inline]
    pub fn u32_in(&mut self, low: u32, high: u32) -> u32 {
        let first = low.min(high);
        first + self.u32_up_to(low.abs_diff(high))
    }

    /// An integer from `low` to `high`, both included, all equally likely. The ends may be given in either
    /// order.
    ///
    /// Draws one word, seldom more: see [`u32_up_to`](Self::u32_up_to).
    #[inline]
    pub fn i32_in(&mut self, low: i32, high: i32) -> i32 {
        let first = low.min(high);
        first.wrapping_add_unsigned(self.u32_up_to(low.abs_diff(high)))
    }

    /// An integer from 0 to `last`, both included, all equally likely.
    ///
    /// With `n = last + 1`, it is the upper half of the 64-bit product of `n` and a word; a word whose lower
    /// half of the product is below `2³² mod n` is drawn again (D. Lemire, "Fast random integer generation in
    /// an interval", 2019). With `last = u32::MAX` it is the word. A further draw happens with a probability
    /// below ½, and below `n / 2³²`; after [`MAX_REDRAWS`] of them the last one counts.
    #[inline]
    pub fn u32_up_to(&mut self, last: u32) -> u32 {
        let Some(count) = last.checked_add(1) else {
            return self.next_u32();
        };
        let mut product = u64::from(self.next_u32()) * u64::from(count);
        if (product as u32) < count {
            let uneven = count.wrapping_neg() % count;
            for _ in 0..MAX_REDRAWS {
                if (product as u32) >= uneven {
                    break;
                }
                product = u64::from(self.next_u32()) * u64::from(count);
            }
        }
        (product >> 32) as u32
    }

    /// True with the given probability, in steps of 2⁻²⁴: whether [`unit_f32`](Self::unit_f32) is below it.
    ///
    /// Never for 0 and less or NaN, always for 1 and more. Draws one word in any case.
    #[inline]
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit_f32() < probability
    }

    /// One of the items, all equally likely, or `None` (and nothing drawn) if there are none.
    ///
    /// It is the item at [`u32_up_to`](Self::u32_up_to) the last index. Items beyond the 2³²-th are never
    /// picked.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let last = items.len().checked_sub(1)?;
        items.get(self.index_up_to(last))
    }

    /// Puts the items into random order, all orders equally likely (as far as the seed's 256 bits go).
    ///
    /// Fisher and Yates, from the end: for each index `i` from the last down to 1 the item at `i` changes
    /// places with that at [`u32_up_to`](Self::u32_up_to)`(i)`.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index_up_to(last));
        }
    }

    /// An angle in `-PI..PI` (half open): [`signed_unit_f32`](Self::signed_unit_f32) · PI. Draws one word.
    #[inline]
    pub fn angle(&mut self) -> f32 {
        self.signed_unit_f32() * core::f32::consts::PI
    }

    /// A direction in the plane of length 1 (to rounding), all directions equally likely.
    ///
    /// A point of the disk is drawn as for [`unit_vec3`](Self::unit_vec3) and divided by its distance from
    /// the centre: IEEE-exact arithmetic only. Draws two words per try, 2.5 on average.
    pub fn unit_vec2(&mut self) -> Vec2 {
        let (point, distance_squared) = self.point_in_disk();
        point / float::sqrt(distance_squared)
    }

    /// A direction in space of length 1 (to rounding), all directions equally likely.
    ///
    /// G. Marsaglia, "Choosing a point from the surface of a sphere", 1972: with a point (x, y) of the unit
    /// disk and s = x² + y², it is (2x√(1 − s), 2y√(1 − s), 1 − 2s). Draws two words per try, 2.5 on average.
    pub fn unit_vec3(&mut self) -> Vec3 {
        let (point, distance_squared) = self.point_in_disk();
        let scale = 2.0 * float::sqrt(1.0 - distance_squared);
        Vec3::new(point.x * scale, point.y * scale, 1.0 - 2.0 * distance_squared)
    }

    /// A point (x, y) with x² + y² in `2⁻²⁰..1`, and that sum.
    ///
    /// x, then y is drawn in `-1.0..1.0` until that holds. The centre is left out because its directions are
    /// coarse. A try succeeds with probability π/4; after [`MAX_REDRAWS`] failures the point is (½, 0).
    fn point_in_disk(&mut self) -> (Vec2, f32) {
        for _ in 0..=MAX_REDRAWS {
            let x = self.signed_unit_f32();
            let y = self.signed_unit_f32();
            let distance_squared = x * x + y * y;
            if (1.0 / 1_048_576.0..1.0).contains(&distance_squared) {
                return (Vec2::new(x, y), distance_squared);
            }
        }
        (Vec2::new(0.5, 0.0), 0.25)
    }

    fn index_up_to(&mut self, last: usize) -> usize {
        // No state holds so many items that this cuts the range short, and the draw must not depend on
        // usize's width.
        let last = u32::try_from(last).unwrap_or(u32::MAX);
        self.u32_up_to(last) as usize
    }
}

impl fmt::Debug for SimRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimRng").field("words_drawn", &self.words_drawn()).finish_non_exhaustive()
    }
}

/// How a generator is saved, whatever the crate behind it keeps: 40 bytes, no 128-bit integers, no buffer.
#[derive(Serialize, Deserialize)]
#[serde(rename = "SimRng", deny_unknown_fields)]
struct Saved {
    seed: [u8; 32],
    words_drawn: u64,
}

impl Serialize for SimRng {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Saved { seed: self.words.get_seed(), words_drawn: self.words_drawn() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SimRng {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let saved = Saved::deserialize(deserializer)?;
        let mut rng = Self::from_seed(saved.seed);
        rng.words.set_word_pos(u128::from(saved.words_drawn));
        Ok(rng)
    }
}

/// How often a draw that must be refused is repeated. That all of them fail has a probability below 2⁻⁶⁴.
pub const MAX_REDRAWS: u32 = 64;

const SEED_PADDING: &[u8; 24] = b"tickwire simulation seed";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::determinism::state_hash;

    /// ChaCha8 with a zero key and nonce: the start of the key stream of test case 1, 256-bit key, of J.
    /// Strombergson, "Test vectors for the stream cipher ChaCha" (draft-strombergson-chacha-test-vectors-01).
    #[test]
    fn words_are_those_of_chacha8() {
        let mut rng = SimRng::from_seed([0; 32]);
        let published = [
            0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6, 0x7f, 0x5b, 0xb8, 0xe8, 0x1f, 0x09, 0xa5, 0xa1,
            0x2c, 0x84, 0x0e, 0xc3, 0xce, 0x9a, 0x7f, 0x3b, 0x18, 0x1b, 0xe1, 0x88, 0xef, 0x71, 0x1a, 0x1e,
        ];
        let drawn: Vec<u8> = (0..8).flat_map(|_| rng.next_u32().to_le_bytes()).collect();
        assert_eq!(drawn, published);
    }

    /// Computed by a second implementation, in another language, from the definitions in this module's
    /// documentation.
    #[test]
    fn known_answers() {
        let mut rng = SimRng::from_u64(7);
        assert_eq!([rng.next_u32(), rng.next_u32(), rng.next_u32()], [0x3a35_1959, 0x2cc9_de8b, 0xffd3_199b]);
        assert_eq!(rng.next_u64(), 0x36c6_80ce_a7d0_c8a1);
        let numbers = [rng.unit_f32(), rng.signed_unit_f32(), rng.angle()];
        assert_eq!(numbers.map(f32::to_bits), [0x3ee7_45c6, 0x3ec0_c778, 0xbf52_933a]);
        assert_eq!(rng.unit_vec2().to_array().map(f32::to_bits), [0xbf7b_bbab, 0xbe3a_2e4f]);
        assert_eq!(rng.unit_vec3().to_array().map(f32::to_bits), [0xbf3a_0a7f, 0xbefe_9aa4, 0x3ef2_a4ac]);
        let dice: Vec<i32> = (0..12).map(|_| rng.i32_in(-3, 3)).collect();
        assert_eq!(dice, [3, -3, 3, 1, 0, -2, -3, 0, 3, -1, 3, 3]);
        let mut order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        rng.shuffle(&mut order);
        assert_eq!(order, [2, 9, 8, 4, 7, 3, 5, 6, 0, 1]);
        assert_eq!(rng.pick(&["a", "b", "c", "d", "e"]), Some(&"d"));
        assert_eq!(rng.fork("loot", 3).next_u32(), 0x2249_239a);
        assert_eq!(rng.words_drawn(), 34);
    }

    #[test]
    fn a_saved_generator_goes_on_where_it_was() {
        let mut rng = SimRng::from_u64(1);
        for drawn in 0..300 {
            assert_eq!(rng.words_drawn(), drawn);
            let saved = serde_json::to_string(&rng).unwrap();
            let mut restored: SimRng = serde_json::from_str(&saved).unwrap();
            assert_eq!(restored, rng);
            assert_eq!(state_hash(&restored), state_hash(&rng));
            let mut original = rng.clone();
            for _ in 0..70 {
                assert_eq!(restored.next_u32(), original.next_u32());
            }
            assert_ne!(original, rng);
            assert_eq!(serde_json::to_string(&restored).unwrap(), serde_json::to_string(&original).unwrap());
            rng.next_u32();
        }
    }

    #[test]
    fn the_saved_form_is_stable_and_total() {
        let mut zero = SimRng::from_seed([0; 32]);
        zero.next_u64();
        let seed = vec!["0"; 32].join(",");
        let saved = format!(r#"{{"seed":[{seed}],"words_drawn":2}}"#);
        assert_eq!(serde_json::to_string(&zero).unwrap(), saved);
        // The largest position that can be saved can be restored and drawn from.
        let late = format!(r#"{{"seed":[{seed}],"words_drawn":{}}}"#, u64::MAX);
        let mut late: SimRng = serde_json::from_str(&late).unwrap();
        assert_eq!(late.words_drawn(), u64::MAX);
        late.next_u64();
        assert!(serde_json::from_str::<SimRng>(r#"{"seed":[1],"words_drawn":0}"#).is_err());
    }

    #[test]
    fn forks_depend_on_seed_label_and_id_alone() {
        let mut parent = SimRng::from_u64(9);
        let before = parent.fork("loot", 1);
        parent.next_u64();
        assert_eq!(parent.fork("loot", 1), before);
        let first = |rng: &SimRng| rng.clone().next_u64();
        let others = [
            parent.fork("loot", 2),
            parent.fork("weather", 1),
            parent.fork("", 0),
            parent.fork("loot", 1).fork("loot", 1),
            SimRng::from_u64(10).fork("loot", 1),
            SimRng::from_u64(9),
        ];
        for other in &others {
            assert_ne!(first(other), first(&before));
        }
    }

    #[test]
    fn ranges_hold_and_are_even() {
        let mut rng = SimRng::from_u64(3);
        let mut seen = [0_u32; 7];
        for _ in 0..70_000 {
            seen[rng.i32_in(3, -3).wrapping_add(3) as usize] += 1;
        }
        // Five standard deviations of a binomial with n = 70,000 and p = 1/7 are 463.
        assert!(seen.iter().all(|&count| count.abs_diff(10_000) < 463), "{seen:?}");
        assert_eq!(rng.u32_in(5, 5), 5);
        let large = 3 << 30;
        let mut low_third = 0;
        for _ in 0..30_000 {
            let value = rng.u32_up_to(large - 1);
            assert!(value < large);
            low_third += u32::from(value < 1 << 30);
        }
        // A plain modulo would give one half here. Five standard deviations are 408.
        assert!(low_third.abs_diff(10_000) < 408, "{low_third}");
        for _ in 0..100 {
            rng.i32_in(i32::MIN, i32::MAX);
            assert!(rng.i32_in(i32::MAX - 1, i32::MAX) >= i32::MAX - 1);
        }
    }

    #[test]
    fn chance_is_total() {
        let mut rng = SimRng::from_u64(4);
        for _ in 0..1000 {
            assert!(!rng.chance(0.0) && !rng.chance(-1.0) && !rng.chance(f32::NAN));
            assert!(rng.chance(1.0) && rng.chance(f32::INFINITY));
        }
        assert_eq!(rng.words_drawn(), 5000);
        assert_eq!(rng.pick::<u8>(&[]), None);
        assert_eq!(rng.words_drawn(), 5000);
    }

    #[test]
    fn directions_are_unit_vectors_without_a_favourite() {
        let mut rng = SimRng::from_u64(5);
        let (mut sum2, mut sum3) = (Vec2::ZERO, Vec3::ZERO);
        for _ in 0..20_000 {
            let (flat, solid) = (rng.unit_vec2(), rng.unit_vec3());
            assert!((flat.length() - 1.0).abs() < 1e-6 && (solid.length() - 1.0).abs() < 1e-5);
            assert!((-core::f32::consts::PI..core::f32::consts::PI).contains(&rng.angle()));
            sum2 += flat;
            sum3 += solid;
        }
        // Each component's sum has a standard deviation of √(20,000 / dimensions) ≤ 100.
        assert!(sum2.abs().max_element() < 500.0 && sum3.abs().max_element() < 500.0, "{sum2} {sum3}");
    }

    #[test]
    fn debug_does_not_show_the_seed() {
        assert_eq!(format!("{:?}", SimRng::from_u64(77)), "SimRng { words_drawn: 0, .. }");
    }
}
