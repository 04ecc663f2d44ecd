//! Which column a token or a pair of tokens has.

/// In a sequence of ranks: a token that is no term.
pub(super) const NO_TERM: u32 = u32::MAX;

/// Unigrams and their bigrams in vocabulary order, as two arrays.
///
/// A unigram is known by its rank: its position among the unigrams in code-point order. A space sorts before
/// every word character, so that in the vocabulary a unigram is followed by just the bigrams that start with
/// it, which ascend by the rank of their second token:
/// ```text
/// column  0     1     2          3         4          rank of a, b, c: 0, 1, 2
/// term    a     b     b a        b c       c          starts   0 0 2 2    seconds  0 2
/// ```
/// `seconds[starts[r]..starts[r + 1]]` belong to the unigram of rank `r`, whose own column is `r + starts[r]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns {
    starts: Vec<u32>,
    seconds: Vec<u32>,
}

impl Columns {
    /// Columns of `n_unigrams` unigrams and these bigrams, `(first, second)` in strictly ascending order.
    pub(super) fn new(n_unigrams: usize, pairs: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut columns = Self {
            starts: Vec::with_capacity(n_unigrams + 1),
            seconds: Vec::new(),
        };
        for (first, second) in pairs {
            columns
                .starts
                .resize(first as usize + 1, columns.seconds.len() as u32);
            columns.seconds.push(second);
        }
        columns
            .starts
            .resize(n_unigrams + 1, columns.seconds.len() as u32);
        columns
    }

    pub(super) fn n_unigrams(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many terms there are, of both kinds.
    pub(super) fn n_terms(&self) -> usize {
        self.n_unigrams() + self.seconds.len()
    }

    /// The column of the unigram of this rank.
    pub(super) fn unigram_column(&self, rank: u32) -> u32 {
        rank + self.starts[rank as usize]
    }

    /// The column of a bigram, if it is a term.
    pub(super) fn bigram_column(&self, first: u32, second: u32) -> Option<u32> {
        let (start, end) = (self.starts[first as usize], self.starts[first as usize + 1]);
        let position = self.seconds[start as usize..end as usize]
            .binary_search(&second)
            .ok()?;
        Some(first + 1 + start + position as u32)
    }

    /// The terms in the order of their columns: a unigram's rank, and the rank of the second token of a bigram.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Option<u32>)> {
        self.starts.windows(2).zip(0..).flat_map(|(bounds, rank)| {
            let seconds = &self.seconds[bounds[0] as usize..bounds[1] as usize];
            std::iter::once((rank, None)).chain(seconds.iter().map(move |&second| (rank, Some(second))))
        })
    }
}

/// Collects the columns of the terms in a sequence of tokens.
#[derive(Debug)]
pub(super) struct TermCounter<'a> {
    columns: &'a Columns,
    previous: u32,
    occurrences: &'a mut Vec<u32>,
}

impl<'a> TermCounter<'a> {
    /// A counter that appends each occurrence of a term to `occurrences`, as the term's column.
    pub(super) fn new(columns: &'a Columns, occurrences: &'a mut Vec<u32>) -> Self {
        Self {
            columns,
            previous: NO_TERM,
            occurrences,
        }
    }

    /// The next token's rank, [`NO_TERM`] if it has none.
    pub(super) fn push(&mut self, rank: u32) {
        if rank != NO_TERM {
            self.occurrences.push(self.columns.unigram_column(rank));
            if self.previous != NO_TERM {
                self.occurrences
                    .extend(self.columns.bigram_column(self.previous, rank));
            }
        }
        self.previous = rank;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bigrams_stand_behind_the_unigram_they_start_with() {
        let columns = Columns::new(3, [(1, 0), (1, 2)]);
        assert_eq!([0, 1, 2].map(|rank| columns.unigram_column(rank)), [0, 1, 4]);
        assert_eq!(
            (columns.bigram_column(1, 0), columns.bigram_column(1, 2)),
            (Some(2), Some(3))
        );
        assert_eq!(
            (
                columns.bigram_column(1, 1),
                columns.bigram_column(0, 1),
                columns.bigram_column(2, 2)
            ),
            (None, None, None)
        );
    }

    #[test]
    fn counter_finds_neighbours_but_not_across_a_token_without_rank() {
        let columns = Columns::new(2, [(0, 1)]);
        let mut occurrences = Vec::new();
        let mut counter = TermCounter::new(&columns, &mut occurrences);
        for rank in [0, 1, 0, NO_TERM, 1] {
            counter.push(rank);
        }
        assert_eq!(occurrences, [0, 2, 1, 0, 2]);
    }

    #[test]
    fn terms_are_listed_in_column_order() {
        let columns = Columns::new(3, [(0, 2), (2, 0), (2, 2)]);
        let listed: Vec<_> = columns.iter().collect();
        assert_eq!(
            listed,
            [
                (0, None),
                (0, Some(2)),
                (1, None),
                (2, None),
                (2, Some(0)),
                (2, Some(2))
            ]
        );
        assert_eq!(columns.n_terms(), listed.len());
        for (column, (first, second)) in (0..).zip(listed) {
            let found = match second {
                None => Some(columns.unigram_column(first)),
                Some(second) => columns.bigram_column(first, second),
            };
            assert_eq!(found, Some(column));
        }
    }
}
