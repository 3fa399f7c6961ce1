//! Finds the end of the last row in a piece, whatever precedes the piece.

use memchr::{memchr, memrchr};

use crate::dialect::Dialect;
use crate::index::{Event, Followed, Machine, Masks, Quotes, Special, State, for_each_stride};
use crate::simd::Simd;
use crate::text::Text;

/// The end of the last row in a piece, for each way in which the piece may begin.
pub(super) enum Cut {
    /// A piece without quotes.
    Plain { after_newline: Option<usize> },
    /// A piece with quotes: its end if it begins inside an unquoted field, and if it begins inside a quoted one.
    Quoted { special: Special, outside: Tail, inside: Tail },
    /// A piece with escapes or comments. It is scanned once its beginning is known.
    Careful,
}

/// The end of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// The position after the last newline that ends a row.
    pub rows_end: Option<usize>,
    pub state: State,
}

impl Cut {
    pub(super) fn find(simd: Simd, piece: &[u8], dialect: Dialect) -> Self {
        if dialect.needs_careful_scan(piece) {
            return Self::Careful;
        }
        match Special::of(dialect) {
            Some(special) if memchr(special.quote, piece).is_some() => {
                let [outside, inside] = tails(simd, piece, special, [State::Field, State::Quoted]);
                Self::Quoted { special, outside, inside }
            }
            _ => Self::Plain { after_newline: memrchr(b'\n', piece).map(|newline| newline + 1) },
        }
    }

    pub(super) fn tail(&self, simd: Simd, piece: &[u8], state: State, dialect: Dialect) -> Tail {
        match *self {
            Self::Careful => careful_tail(piece, state, dialect),
            _ if state.is_for_careful_scan() => careful_tail(piece, state, dialect),
            Self::Plain { .. } if state == State::Quoted => Tail { rows_end: None, state },
            Self::Plain { after_newline } => Tail { rows_end: after_newline, state: outside_state(piece, dialect) },
            Self::Quoted { inside, .. } if state == State::Quoted => inside,
            // Only here does the exact state at the beginning matter.
            Self::Quoted { special, .. } if state != State::Field && piece[0] == special.quote => {
                tails(simd, piece, special, [state; 2])[0]
            }
            Self::Quoted { outside, .. } => outside,
        }
    }
}

impl Text {
    /// The first end of a row at least about `size` bytes after `start`. Both positions count from the first byte of
    /// the text.
    pub(crate) fn row_end(&self, simd: Simd, dialect: Dialect, start: usize, size: usize) -> usize {
        let bytes = &self.bytes()[start..];
        let mut piece = size;
        while piece < bytes.len() {
            let cut = Cut::find(simd, &bytes[..piece], dialect);
            if let Some(rows_end) = cut.tail(simd, &bytes[..piece], State::LineStart, dialect).rows_end {
                return start + rows_end;
            }
            piece *= 2;
        }
        start + bytes.len()
    }
}

/// The state after a piece without quotes that begins outside quotes.
fn outside_state(piece: &[u8], dialect: Dialect) -> State {
    match piece.last() {
        Some(&byte) if byte == dialect.delimiter || byte == b'\n' => State::FieldStart,
        _ => State::Field,
    }
}

/// The tail of any piece, found byte by byte.
fn careful_tail(piece: &[u8], mut state: State, dialect: Dialect) -> Tail {
    let machine = Machine::new(dialect);
    let mut rows_end = None;
    let mut next = 0;
    loop {
        next += machine.ordinary(state, &piece[next..]);
        let Some(&byte) = piece.get(next) else { break };
        next += 1;
        let event;
        (state, event) = machine.step(state, byte);
        if event == Event::Line {
            rows_end = Some(next);
        }
    }
    Tail { rows_end, state }
}

/// The tails of a piece with quotes, for two states in which it may begin.
fn tails(simd: Simd, piece: &[u8], special: Special, starts: [State; 2]) -> [Tail; 2] {
    let [mut one, mut other] = starts.map(Reader::new);
    // The position from which both readers agree. They usually do after a field or two, since a quote opens only at the
    // start of a field.
    let mut met = (starts[0] == starts[1]).then_some(0);
    for_each_stride(simd, piece, special, |position, masks| {
        one = one.follow(position, masks);
        if met.is_none() {
            other = other.follow(position, masks);
            // After a partial last chunk, `quotes` is not the state after its last byte.
            let end = position + 64 * masks.len();
            met = (one.quotes == other.quotes && end <= piece.len()).then_some(end);
        }
    });
    if let Some(met) = met {
        other = Reader { rows_end: if one.rows_end > met { one.rows_end } else { other.rows_end }, ..one };
    }
    [one, other].map(|reader| reader.tail(piece.len()))
}

/// What is known after some chunks of a piece.
#[derive(Clone, Copy)]
struct Reader {
    quotes: Quotes,
    /// The contents of the last chunk.
    last: Followed,
    /// The position after the last newline that ends a row; 0 if there is none.
    rows_end: usize,
}

impl Reader {
    fn new(start: State) -> Self {
        Self { quotes: Quotes::new(start), last: Followed::default(), rows_end: 0 }
    }

    #[inline]
    fn follow(mut self, position: usize, masks: &[Masks]) -> Self {
        for (at, masks) in masks.iter().enumerate() {
            self.last = self.quotes.follow(masks);
            let newlines = self.last.ends & masks.newlines;
            if newlines != 0 {
                self.rows_end = position + 64 * (at + 1) - newlines.leading_zeros() as usize;
            }
        }
        self
    }

    fn tail(self, length: usize) -> Tail {
        let state = self.quotes.state(self.last, length);
        Tail { rows_end: (self.rows_end > 0).then_some(self.rows_end), state }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::text;
    use proptest::prelude::*;

    const QUOTED: Dialect = Dialect::new(b',', Some(b'"'));
    const STATES: [State; 4] = [State::FieldStart, State::Field, State::Quoted, State::QuoteInQuoted];

    /// The tail of a piece that begins in `state`, found byte by byte.
    fn naive(piece: &[u8], mut state: State, dialect: Dialect) -> Tail {
        let mut rows_end = None;
        for (at, &byte) in piece.iter().enumerate() {
            let is_quote = Some(byte) == dialect.quote;
            state = match state {
                State::Quoted if is_quote => State::QuoteInQuoted,
                State::Quoted => State::Quoted,
                State::QuoteInQuoted | State::FieldStart if is_quote => State::Quoted,
                _ if byte == dialect.delimiter || byte == b'\n' => State::FieldStart,
                _ => State::Field,
            };
            if byte == b'\n' && state == State::FieldStart {
                rows_end = Some(at + 1);
            }
        }
        Tail { rows_end, state }
    }

    fn check(piece: &[u8]) {
        for simd in Simd::available() {
            let cut = Cut::find(simd, piece, QUOTED);
            for start in STATES {
                let tail = cut.tail(simd, piece, start, QUOTED);
                assert_eq!(
                    tail,
                    naive(piece, start, QUOTED),
                    "{simd:?} {start:?} {:?}",
                    String::from_utf8_lossy(piece)
                );
            }
        }
    }

    #[test]
    fn each_beginning_has_its_end_at_every_place() {
        for before in (0..140).chain(950..1100) {
            for bytes in [&b"\""[..], b"\"\"", b"\"\n", b"\n\"", b",\"\n\",\n", b"\n\"a\"\"\n\"b\n\"\n"] {
                check(&[&vec![b'x'; before], bytes].concat());
                check(&[&b"\""[..], &vec![b'\n'; before], bytes, b"x,"].concat());
            }
        }
    }

    proptest! {
        #![proptest_config(crate::checks::cases(1_000))]

        #[test]
        fn each_beginning_has_its_end(piece in text(), from in any::<prop::sample::Index>()) {
            let from = from.index(piece.len());
            check(&piece[from..]);
            check(&piece[..=from]);
        }
    }
}
