//! Finds the end of the last row in a piece, whatever precedes the piece.

use std::hint::select_unpredictable;

use memchr::{memchr, memchr_iter, memrchr};

use crate::dialect::Dialect;
use crate::index::{Event, Instructions, Last, Machine, Masks, Quotes, Scan, Special, State, scan};
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
    let [one, other] = starts.map(Reader::new);
    let met = (starts[0] == starts[1]).then_some(0);
    let readers = Readers::<false> { one, other, met, length: piece.len(), has_ordinary: false };
    let Readers { mut one, mut other, met, has_ordinary, .. } = scan(simd, piece, special, readers);
    if has_ordinary {
        let readers = Readers::<true> {
            one: Reader::new(starts[0]),
            other: Reader::new(starts[1]),
            met: None,
            length: piece.len(),
            has_ordinary,
        };
        Readers { one, other, .. } = scan(simd, piece, special, readers);
    } else if let Some(met) = met {
        let rows_end = one.rows_end_after(met, piece, special.quote);
        one.rows_end = rows_end.unwrap_or(one.rows_end);
        other = Reader { rows_end: rows_end.unwrap_or(other.rows_end), ..one };
    }
    [one, other].map(|reader| reader.tail(piece.len()))
}

/// Two readers of a piece that begin in different states.
struct Readers<const TO_THE_END: bool> {
    one: Reader,
    other: Reader,
    /// The position from which both agree. They usually do after a field or two, since a quote opens only at the start of
    /// a field. Unless both read `TO_THE_END`, only one goes on from there, and it only follows the quotes.
    met: Option<usize>,
    /// The length of the piece.
    length: usize,
    /// Whether there was a quote in an unquoted field since then.
    has_ordinary: bool,
}

impl<const TO_THE_END: bool> Scan for Readers<TO_THE_END> {
    #[inline(always)]
    fn look<I: Instructions>(&mut self, instructions: I, position: usize, masks: Masks) {
        if !TO_THE_END && self.met.is_some() {
            let followed = self.one.quotes.follow(instructions, &masks);
            self.one.last = followed.last();
            self.has_ordinary |= followed.has_ordinary();
            return;
        }
        self.one.follow(instructions, position, &masks);
        self.other.follow(instructions, position, &masks);
        // After a partial last chunk, `quotes` is not the state after its last byte.
        let end = position + 64;
        self.met = (self.one.quotes == self.other.quotes && end <= self.length).then_some(end);
    }

    #[inline(always)]
    fn end_stride<I: Instructions>(&mut self, _: I) -> bool {
        TO_THE_END || !self.has_ordinary
    }
}

/// What is known after some chunks of a piece.
#[derive(Clone, Copy)]
struct Reader {
    quotes: Quotes,
    /// The last chunk.
    last: Last,
    /// The position after the last newline that ends a row; 0 if there is none.
    rows_end: usize,
}

impl Reader {
    fn new(start: State) -> Self {
        Self { quotes: Quotes::new(start), last: Last::default(), rows_end: 0 }
    }

    #[inline(always)]
    fn follow<I: Instructions>(&mut self, instructions: I, position: usize, masks: &Masks) {
        let followed = self.quotes.follow(instructions, masks);
        self.last = followed.last();
        let newlines = followed.ends & masks.newlines;
        let after = position + 64 - newlines.leading_zeros() as usize;
        self.rows_end = select_unpredictable(newlines != 0, after, self.rows_end);
    }

    /// The position after the last newline from `start` on that ends a row, if no quote since then is in an unquoted field.
    fn rows_end_after(&self, start: usize, piece: &[u8], quote: u8) -> Option<usize> {
        let mut end = piece.len();
        let mut is_inside = self.state(piece.len()) == State::Quoted;
        loop {
            let newline = start + memrchr(b'\n', &piece[start..end])?;
            is_inside ^= memchr_iter(quote, &piece[newline..end]).count() % 2 == 1;
            if !is_inside {
                return Some(newline + 1);
            }
            end = newline;
        }
    }

    fn state(&self, length: usize) -> State {
        self.quotes.state(self.last, length)
    }

    fn tail(self, length: usize) -> Tail {
        Tail { rows_end: (self.rows_end > 0).then_some(self.rows_end), state: self.state(length) }
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
