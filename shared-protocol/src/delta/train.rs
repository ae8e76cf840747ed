//! Training: entropy tables fitted to recorded states.
//!
//! The trainer counts which symbols occur in which contexts, by the very layout that the codec writes. Then
//! it groups the contexts of a model under at most sixteen codes: each context goes to the code that writes
//! its symbols in the fewest bits, each code is rebuilt for the contexts that it has, and so on until little
//! changes (k-means with code length for distance; Lloyd 1982). Contexts that the recording does not show get
//! the code of the nearest one it does.

use super::codec::{Baselines, DeltaCodec, DeltaError};
use super::energy::{Energy, GroupEnergy};
use super::form::{BaselineForm, FORM_CONTEXTS};
use super::model::{LANE_CONTEXTS, LEVELS, ModelShape, Role, split_residual};
use super::plan::KindPlan;
use super::tables::{EntropyTables, ModelTable};
use super::transcode::{Coder, transcode};
use crate::id::KindId;
use crate::limits::{MAX_FIELDS, MAX_TABLES_PER_MODEL};
use crate::wire::codes::PrefixCode;
use std::convert::Infallible;

/// Collects the symbols of recorded deltas and makes tables of them.
#[derive(Debug)]
pub struct Trainer<'a> {
    codec: &'a DeltaCodec,
    kinds: Vec<Vec<Counts>>,
}

/// How often each symbol of a model occurred in each context; contexts that never occurred hold nothing.
type Counts = Vec<Option<Box<[u32]>>>;

impl<'a> Trainer<'a> {
    /// A trainer for the schema of `codec`.
    #[must_use]
    pub fn new(codec: &'a DeltaCodec) -> Trainer<'a> {
        let counts = |plan: &KindPlan| plan.models.iter().map(|shape| vec![None; shape.contexts]).collect();
        let kinds = (0..codec.schema().kinds().len())
            .filter_map(|kind| codec.kind(KindId(kind as u8)))
            .map(|kind| counts(&kind.plan))
            .collect();
        Trainer { codec, kinds }
    }

    /// Counts the delta of one entity.
    ///
    /// # Errors
    /// [`DeltaError::Baselines`] when the kind is unknown, a row has the wrong length, or the baselines are
    /// not those of the form.
    pub fn observe(
        &mut self,
        kind: KindId,
        form: &BaselineForm,
        baselines: Baselines<'_>,
        state: &[i32],
    ) -> Result<(), DeltaError> {
        let codec = self.codec.kind(kind).ok_or(DeltaError::Baselines)?;
        let between = codec.between(form, baselines)?;
        let counts = self.kinds.get_mut(usize::from(kind.0)).ok_or(DeltaError::Baselines)?;
        if codec.check(state).is_err() {
            return Err(DeltaError::Baselines);
        }
        let mut counter = Counter { models: &codec.plan.models, counts, state };
        let Ok(()) = transcode::<_, MAX_FIELDS>(&mut counter, &codec.plan, &between);
        Ok(())
    }

    /// The tables for what was observed. A model of which nothing was observed keeps its default codes, so
    /// that what was observed never takes more bits than with those.
    #[must_use]
    pub fn finish(self) -> EntropyTables {
        let mut tables = EntropyTables::defaults(self.codec.schema());
        for (kind, (models, counts)) in tables.kinds.iter_mut().zip(&self.kinds).enumerate() {
            let Some(codec) = self.codec.kind(KindId(kind as u8)) else { continue };
            for ((table, shape), counts) in models.iter_mut().zip(&codec.plan.models).zip(counts) {
                // The grouping finds a good set of codes, not the best: where the defaults do as well they
                // stay.
                if let Some(trained) = fit(shape, counts)
                    && cost(&trained, counts) < cost(table, counts)
                {
                    *table = trained;
                }
            }
        }
        tables
    }
}

/// The bits that a model's observed symbols take with a table.
fn cost(table: &ModelTable, counts: &Counts) -> u64 {
    let cost_of_row = |(code, row): (&u8, &Option<Box<[u32]>>)| -> u64 {
        let lengths = &table.codes[usize::from(*code)];
        let counts = row.iter().flat_map(|row| row.iter());
        lengths.iter().zip(counts).map(|(&length, &count)| u64::from(length) * u64::from(count)).sum()
    };
    table.map.iter().zip(counts).map(cost_of_row).sum()
}

struct Counter<'a> {
    models: &'a [ModelShape],
    counts: &'a mut [Counts],
    state: &'a [i32],
}

impl Coder for Counter<'_> {
    type Error = Infallible;

    const KNOWS: bool = true;

    fn state(&self) -> &[i32] {
        self.state
    }

    fn learn<const LANES: usize>(&mut self, _: usize, _: [i32; LANES]) {}

    fn symbol(&mut self, model: usize, context: usize, symbol: u32) -> Result<u32, Infallible> {
        let symbols = self.models[model].symbols;
        let counts = self.counts[model][context].get_or_insert_with(|| vec![0; symbols].into_boxed_slice());
        counts[symbol as usize] = counts[symbol as usize].saturating_add(1);
        Ok(symbol)
    }

    fn residuals<const LANES: usize>(
        &mut self,
        model: usize,
        context: usize,
        energy: &mut Energy,
        residuals: [i32; LANES],
    ) -> Result<[i32; LANES], Infallible> {
        let mut group = GroupEnergy::default();
        for (lane, residual) in residuals.iter().enumerate() {
            let (symbol, ..) = split_residual(*residual);
            self.symbol(model, lane * LANE_CONTEXTS + context * LEVELS + energy.level(), symbol)?;
            group.add(symbol.div_ceil(2));
            *energy = group.energy();
        }
        Ok(residuals)
    }

    fn raw(&mut self, value: u32, _: u32) -> Result<u32, Infallible> {
        Ok(value)
    }

    fn require(&self, _: bool, _: DeltaError) -> Result<(), Infallible> {
        Ok(())
    }
}

/// Rounds of the grouping. It converges in about five.
const ROUNDS: usize = 12;

/// What each symbol counts on top of its occurrences, in 16ths: a recording does not show all that can
/// happen.
const UNSEEN: u64 = 1;

fn fit(shape: &ModelShape, counts: &Counts) -> Option<ModelTable> {
    let mut seen: Vec<(usize, &[u32])> =
        counts.iter().enumerate().filter_map(|(context, row)| Some((context, row.as_deref()?))).collect();
    if seen.is_empty() {
        return None;
    }
    // By mean symbol: the order in which neighbours deserve one code.
    seen.sort_by_key(|(_, row)| {
        let total: u64 = row.iter().map(|&count| u64::from(count)).sum();
        let weighted: u64 =
            row.iter().enumerate().map(|(symbol, &count)| symbol as u64 * u64::from(count)).sum();
        (weighted << 16) / total.max(1)
    });
    let mut groups = even_groups(&seen);
    let mut codes = Vec::new();
    for _ in 0..ROUNDS {
        let used = groups.iter().copied().max().map_or(1, |last| last + 1);
        codes = (0..used).map(|group| code_of_group(shape, &seen, &groups, group)).collect::<Vec<_>>();
        let next: Vec<usize> = seen.iter().map(|(_, row)| cheapest(&codes, row)).collect();
        let settled = next == groups;
        groups = next;
        if settled {
            break;
        }
    }
    let place = |context| place_of(shape, context);
    let known: Vec<([usize; 4], u8)> =
        seen.iter().zip(&groups).map(|((context, _), group)| (place(*context), *group as u8)).collect();
    let map = (0..shape.contexts).map(|context| nearest_known(shape, &known, place(context))).collect();
    Some(ModelTable { map, codes: codes.iter().map(|code| code.lengths().collect()).collect() })
}

/// Cuts the contexts, in their order, into groups of about equal weight.
fn even_groups(seen: &[(usize, &[u32])]) -> Vec<usize> {
    let weight = |row: &[u32]| row.iter().map(|&count| u64::from(count)).sum::<u64>();
    let total: u64 = seen.iter().map(|(_, row)| weight(row)).sum();
    let wanted = seen.len().min(MAX_TABLES_PER_MODEL) as u64;
    let mut before = 0;
    seen.iter()
        .map(|(_, row)| {
            let group = before * wanted / total.max(1);
            before += weight(row);
            group.min(wanted - 1) as usize
        })
        .collect()
}

fn code_of_group(shape: &ModelShape, seen: &[(usize, &[u32])], groups: &[usize], group: usize) -> PrefixCode {
    let mut weights = vec![UNSEEN; shape.symbols];
    for ((_, row), _) in seen.iter().zip(groups).filter(|(_, other)| **other == group) {
        for (weight, &count) in weights.iter_mut().zip(*row) {
            *weight += 16 * u64::from(count);
        }
    }
    PrefixCode::from_weights(&weights).expect("a model has 1 to MAX_SYMBOLS symbols")
}

fn cheapest(codes: &[PrefixCode], row: &[u32]) -> usize {
    let cost = |code: &PrefixCode| -> u64 {
        row.iter()
            .enumerate()
            .map(|(symbol, &count)| u64::from(count) * u64::from(code.bits(symbol as u32)))
            .sum()
    };
    (0..codes.len()).min_by_key(|&place| cost(&codes[place])).unwrap_or(0)
}

/// Where a context lies: its energy or activity first, its lane last.
fn place_of(shape: &ModelShape, context: usize) -> [usize; 4] {
    if !is_by_energy(shape) {
        return [context % LEVELS, context / LEVELS, 0, 0];
    }
    let form = context / LEVELS / LEVELS;
    [context % LEVELS, context / LEVELS % LEVELS, form % FORM_CONTEXTS, form / FORM_CONTEXTS]
}

/// The code of a context, or of the nearest one that has any: of the same lane before another, of the same
/// form before another, then by activity and energy.
fn nearest_known(shape: &ModelShape, known: &[([usize; 4], u8)], here: [usize; 4]) -> u8 {
    let weights = [1, 2, if is_by_energy(shape) { 40 } else { 2 }, 2000];
    let distance = |there: &[usize; 4]| -> usize {
        (0..4).map(|part| here[part].abs_diff(there[part]) * weights[part]).sum()
    };
    known.iter().map(|(there, code)| (distance(there), *code)).min().map_or(0, |(_, code)| code)
}

fn is_by_energy(shape: &ModelShape) -> bool {
    matches!(shape.role, Role::Residual { .. } | Role::Anchor | Role::Velocity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(symbols: usize, contexts: usize) -> ModelShape {
        ModelShape { role: Role::Mask { chunk: 0 }, symbols, contexts }
    }

    fn counts(contexts: usize, rows: &[(usize, &[u32])]) -> Counts {
        let mut counts = vec![None; contexts];
        rows.iter().for_each(|(context, row)| counts[*context] = Some((*row).into()));
        counts
    }

    #[test]
    fn contexts_that_differ_get_codes_of_their_own() {
        let shape = mask(4, 8);
        let counts = counts(8, &[(1, &[90, 5, 3, 2]), (2, &[80, 9, 1, 1]), (6, &[1, 2, 4, 70])]);
        let table = fit(&shape, &counts).unwrap();
        let bits = |context: usize, symbol: usize| table.codes[usize::from(table.map[context])][symbol];
        assert_eq!((bits(1, 0), bits(2, 0), bits(6, 3)), (1, 1, 1));
        // Nobody saw these: they take after their neighbours.
        assert_eq!((bits(0, 0), bits(7, 3)), (1, 1));
        assert_eq!(cost(&table, &counts), 90 + 2 * 5 + 3 * 5 + 80 + 2 * 9 + 3 * 2 + 3 * 3 + 2 * 4 + 70);
    }

    #[test]
    fn a_model_that_nobody_used_is_not_fitted() {
        assert!(fit(&mask(4, 8), &counts(8, &[])).is_none());
    }

    #[test]
    fn there_are_never_more_codes_than_a_map_can_name() {
        let row = |hot: u32| (0..64).map(|at| u32::from(at == hot) * 500 + 1).collect();
        let rows: Vec<Vec<u32>> = (0..64).map(row).collect();
        let rows: Vec<(usize, &[u32])> = rows.iter().map(Vec::as_slice).enumerate().collect();
        let table = fit(&mask(64, 64), &counts(64, &rows)).unwrap();
        assert!(table.codes.len() <= MAX_TABLES_PER_MODEL);
        assert!(table.map.iter().all(|code| usize::from(*code) < table.codes.len()));
    }

    #[test]
    fn groups_are_even_and_in_order() {
        let rows = [[3_u32]; 40];
        let seen: Vec<(usize, &[u32])> = rows.iter().map(|row| &row[..]).enumerate().collect();
        let groups = even_groups(&seen);
        assert!(groups.windows(2).all(|pair| pair[0] == pair[1] || pair[0] + 1 == pair[1]));
        assert_eq!((groups[0], groups[39]), (0, MAX_TABLES_PER_MODEL - 1));
    }
}
