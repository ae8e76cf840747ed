//! Columns that several of a player's snapshots share.
//!
//! Most of what a player knows is the same after many snapshots, and copying it for each would be most of
//! what a snapshot costs. A column that is no longer used is filled again, so that no memory is asked
//! for in the long run.

/// Columns, each with the number of its users.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns<T> {
    columns: Vec<(u32, Vec<T>)>,
    /// Which of them have no user.
    free: Vec<usize>,
}

impl<T: Copy> Columns<T> {
    /// A column.
    #[inline]
    pub(super) fn get(&self, column: usize) -> &[T] {
        &self.columns[column].1
    }

    /// Takes a copy of `values` in as a column with one user.
    pub(super) fn put(&mut self, values: &[T]) -> usize {
        let column = self.free.pop().unwrap_or_else(|| {
            self.columns.push((0, Vec::new()));
            self.columns.len() - 1
        });
        let (users, old) = &mut self.columns[column];
        *users = 1;
        old.clear();
        old.extend_from_slice(values);
        column
    }

    /// Counts one user more.
    pub(super) fn share(&mut self, column: usize) -> usize {
        self.columns[column].0 += 1;
        column
    }

    /// Counts one user less.
    pub(super) fn release(&mut self, column: usize) {
        let (users, _) = &mut self.columns[column];
        *users -= 1;
        if *users == 0 {
            self.free.push(column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_filled_again_when_its_last_user_is_gone() {
        let mut columns = Columns::default();
        let one = columns.put(&[1, 2]);
        columns.share(one);
        columns.release(one);
        let other = columns.put(&[3]);
        assert_eq!((columns.get(one), columns.get(other)), ([1, 2].as_slice(), [3].as_slice()));
        columns.release(one);
        assert_eq!(columns.put(&[4, 5, 6]), one);
        assert_eq!(columns.get(one), [4, 5, 6]);
    }
}
