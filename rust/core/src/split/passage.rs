//! What a run of pieces does to the row that is open before it.
//!
//! Several processes can cut a table together, each its own run of pieces. What precedes a run is unknown to its process.
//! So the process follows the run from every state in which it may begin. When all processes have done so, the passages
//! of the earlier runs tell each process in which state its run begins, and where the open row starts.

use super::cut::Tail;
use crate::index::State;

/// The effect of a run for each state in which it may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// The place of the first piece; `None` for a run without pieces.
    pub start: Option<u64>,
    /// In the order of [`State::ALL`].
    ends: [End; State::ALL.len()],
}

/// The effect of a run that begins in a known state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// The first piece in which a row ends.
    pub first: Option<FirstEnd>,
    /// The place of the row that is open after the run, if a row ends in the run. `None` at the end of a part.
    pub open_row: Option<u64>,
    /// The state after the run.
    pub state: State,
}

/// A piece in which a row ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FirstEnd {
    /// The place of the piece.
    pub piece: u64,
    /// The place after the last row that ends in it.
    pub rows_end: u64,
    /// Whether the part ends there.
    pub ends_part: bool,
}

/// A piece that was followed.
pub(super) struct Followed<'a> {
    pub place: u64,
    pub length: usize,
    pub last: bool,
    /// The tail for each state in which the piece may begin.
    pub tail: &'a dyn Fn(State) -> Tail,
}

impl Passage {
    /// The passage of no piece.
    pub(super) fn new() -> Self {
        Self { start: None, ends: State::ALL.map(|state| End { first: None, open_row: None, state }) }
    }

    /// Adds the next piece.
    pub(super) fn follow(&mut self, piece: &Followed<'_>) {
        let Followed { place, length, last, tail } = *piece;
        self.start.get_or_insert(place);
        // Most states soon lead to the same one.
        let mut known = [None; State::ALL.len()];
        for end in &mut self.ends {
            if end.first.is_some() {
                // The first piece of a part.
                end.open_row.get_or_insert(place);
            }
            let Tail { rows_end, state } = *known[end.state as usize].get_or_insert_with(|| tail(end.state));
            let rows_end = if last { Some(length) } else { rows_end };
            end.state = if rows_end == Some(length) { State::LineStart } else { state };
            if let Some(rows_end) = rows_end {
                let rows_end = place + rows_end as u64;
                end.first.get_or_insert(FirstEnd { piece: place, rows_end, ends_part: last });
                end.open_row = Some(rows_end).filter(|_| !last);
            }
        }
    }

    /// The effect on a run that begins in `state`.
    pub(crate) fn from(&self, state: State) -> End {
        self.ends[state as usize]
    }

    /// Serializes the passage.
    pub(crate) fn to_words(&self) -> Vec<u64> {
        let mut words = option_to_words(self.start).to_vec();
        for End { first, open_row, state } in self.ends {
            words.extend(option_to_words(first.map(|first| first.piece)));
            words.extend(first.map_or([0; 2], |first| [first.rows_end, first.ends_part.into()]));
            words.extend(option_to_words(open_row));
            words.push(state as u64);
        }
        words
    }

    /// Restores a serialized passage, and returns the words after it.
    pub(crate) fn from_words(words: &[u64]) -> Option<(Self, &[u64])> {
        let mut words = words;
        let mut next = || {
            let (&word, rest) = words.split_first()?;
            words = rest;
            Some(word)
        };
        let option = |next: &mut dyn FnMut() -> Option<u64>| Some((next()? == 1).then_some(next()?));
        let mut passage = Self::new();
        passage.start = option(&mut next)?;
        for end in &mut passage.ends {
            let piece = option(&mut next)?;
            let (rows_end, ends_part) = (next()?, next()? == 1);
            end.first = piece.map(|piece| FirstEnd { piece, rows_end, ends_part });
            end.open_row = option(&mut next)?;
            end.state = *State::ALL.get(usize::try_from(next()?).ok()?)?;
        }
        Some((passage, words))
    }
}

fn option_to_words(value: Option<u64>) -> [u64; 2] {
    [value.is_some().into(), value.unwrap_or(0)]
}
