//! Which lanes of a kind follow a trend, and whether two states differ in one of them.

/// The lanes of a kind that follow a trend.
///
/// Whether two states differ in them is asked of each entity in each tick. Most kinds have few lanes: their
/// mask is kept in pieces of a length that is known, so that the question takes neither a loop nor a branch.
#[derive(Clone, Debug)]
pub(crate) struct Trends {
    /// Per lane: all bits set where the lane follows a trend, else none.
    mask: Vec<i32>,
    upto_eight: Ends<4>,
    upto_sixteen: Ends<8>,
}

impl Trends {
    pub(crate) fn new(mask: Vec<i32>) -> Trends {
        Trends { upto_eight: Ends::of(&mask), upto_sixteen: Ends::of(&mask), mask }
    }

    /// Whether any lane follows a trend.
    pub(crate) fn is_any(&self) -> bool {
        self.mask.iter().any(|mask| *mask != 0)
    }

    /// Whether two states of the kind differ in a lane that follows a trend.
    #[inline]
    pub(crate) fn differ(&self, newer: &[i32], older: &[i32]) -> bool {
        match newer.len() {
            4..=8 => self.upto_eight.differ(newer, older),
            9..=16 => self.upto_sixteen.differ(newer, older),
            _ => self.any_number_differ(newer, older),
        }
    }

    fn any_number_differ(&self, newer: &[i32], older: &[i32]) -> bool {
        let pairs = newer.iter().zip(older).zip(&self.mask);
        pairs.fold(0, |sum, ((newer, older), mask)| sum | ((newer ^ older) & mask)) != 0
    }
}

/// The mask of up to twice `HALF` lanes: the first half of them and the last, which may overlap. Without
/// meaning when there are more or fewer.
#[derive(Clone, Debug)]
struct Ends<const HALF: usize> {
    first: [i32; HALF],
    last: [i32; HALF],
}

impl<const HALF: usize> Ends<HALF> {
    fn of(mask: &[i32]) -> Ends<HALF> {
        let first = mask.first_chunk().copied().unwrap_or([0; HALF]);
        let last = mask.last_chunk().copied().unwrap_or([0; HALF]);
        Ends { first, last }
    }

    /// Whether two rows of the mask's length differ where it says.
    #[inline(always)]
    fn differ(&self, newer: &[i32], older: &[i32]) -> bool {
        let firsts = newer.first_chunk().zip(older.first_chunk());
        let lasts = newer.last_chunk().zip(older.last_chunk());
        let Some(((first, older_first), (last, older_last))) = firsts.zip(lasts) else {
            return false;
        };
        let in_first = differences(first, older_first, &self.first);
        let in_last = differences(last, older_last, &self.last);
        (0..HALF).fold(0, |any, lane| any | in_first[lane] | in_last[lane]) != 0
    }
}

/// The bits that differ between two rows where a mask is set.
#[inline(always)]
fn differences<const LANES: usize>(
    newer: &[i32; LANES],
    older: &[i32; LANES],
    mask: &[i32; LANES],
) -> [i32; LANES] {
    std::array::from_fn(|lane| (newer[lane] ^ older[lane]) & mask[lane])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_length_differ_where_the_mask_is_set() {
        for lanes in 0..=40 {
            for trending in 0..lanes {
                let mut mask = vec![0; lanes];
                mask[trending] = -1;
                let trends = Trends::new(mask);
                assert!(trends.is_any());
                let older: Vec<i32> = (0..lanes as i32).collect();
                assert!(!trends.differ(&older, &older));
                for lane in 0..lanes {
                    let mut newer = older.clone();
                    newer[lane] += 1 << (lane % 30);
                    assert_eq!(trends.differ(&newer, &older), lane == trending, "{lane} of {lanes}");
                }
            }
            let trends = Trends::new(vec![0; lanes]);
            assert!(!trends.is_any() && !trends.differ(&vec![1; lanes], &vec![2; lanes]));
        }
    }
}
