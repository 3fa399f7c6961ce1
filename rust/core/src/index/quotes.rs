//! What is inside quotes and what is not, 64 bytes at a time, exact for any text.

use super::masks::Masks;

/// Where the reader stands between two bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Before the first byte of a line, where a field begins, unless it is a comment.
    #[default]
    LineStart,
    /// Before the first byte of a field, where a quote opens it.
    FieldStart,
    /// In a field, outside quotes, where a quote is an ordinary byte.
    Field,
    /// Inside quotes.
    Quoted,
    /// After a quote inside quotes: another one makes it a literal quote, anything else ends the quotes.
    QuoteInQuoted,
    /// After spaces at the beginning of a field, where a quote opens it nevertheless.
    Space,
    /// After spaces that follow a closing quote, where the field ends.
    AfterQuote,
    /// After a carriage return that follows a closing quote, where the line ends.
    Returned,
    /// After an escape outside quotes.
    Escaped,
    /// After an escape inside quotes.
    EscapedInQuoted,
    /// In a line that is left out.
    Comment,
}

impl State {
    /// Whether the next byte is neither an ordinary one nor a quote or the end of something.
    pub(crate) fn takes_care(self) -> bool {
        matches!(self, Self::Space | Self::AfterQuote | Self::Escaped | Self::EscapedInQuoted | Self::Comment)
    }
}

/// The quotes of a text, followed from chunk to chunk.
///
/// Inside quotes is whatever has an odd number of quotes before it, a doubled quote being one that closes and one that
/// opens again. That holds as soon as the quotes are left out that stand within an unquoted field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quotes {
    /// All ones when the next byte is inside quotes.
    inside: u64,
    /// 1 when the next byte opens quotes, if it is one.
    may_open: u64,
    /// 1 when the byte before it was a quote that closes.
    closed: u64,
}

/// What a chunk holds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Followed {
    /// The delimiters and newlines outside quotes.
    pub ends: u64,
    /// The quotes that close.
    closing: u64,
    /// The bytes right after a closing quote that neither end the field nor open the quotes again.
    strays: u64,
}

impl Quotes {
    /// Before the first byte, in `state`.
    pub(crate) fn new(state: State) -> Self {
        Self {
            inside: if state == State::Quoted { u64::MAX } else { 0 },
            may_open: matches!(state, State::LineStart | State::FieldStart | State::QuoteInQuoted).into(),
            closed: (state == State::QuoteInQuoted).into(),
        }
    }

    /// Whether the next byte is inside quotes.
    pub(crate) fn is_inside(self) -> bool {
        self.inside != 0
    }

    /// The state after `length` bytes, which is how many were followed, `last` being what the last chunk held.
    pub(crate) fn state(self, last: Followed, length: usize) -> State {
        let byte = 1 << ((length - 1) % 64);
        if self.is_inside() {
            State::Quoted
        } else if last.closing & byte != 0 {
            State::QuoteInQuoted
        } else if last.ends & byte != 0 {
            State::FieldStart
        } else {
            State::Field
        }
    }

    /// Goes through the next chunk.
    #[inline(always)]
    pub(crate) fn follow(&mut self, masks: &Masks) -> Followed {
        let mut quotes = masks.quotes;
        loop {
            let within = prefix_xor(quotes) ^ self.inside;
            let ends = masks.ends & !within;
            let closing = quotes & !within;
            let before_opening = ends | closing;
            let ordinary = quotes & within & !(before_opening << 1 | self.may_open);
            if ordinary == 0 {
                let strays = (closing << 1 | self.closed) & !ends & !quotes;
                // The sign is the last byte's bit.
                let inside = (within as i64 >> 63) as u64;
                *self = Self { inside, may_open: before_opening >> 63, closed: closing >> 63 };
                return Followed { ends, closing, strays };
            }
            // What stands before the first of them was read right, so it and any other up to the end of its field are
            // ordinary bytes; without them the rest may be read otherwise.
            let from = ordinary & ordinary.wrapping_neg();
            let end = masks.ends & !(from - 1);
            let end = end & end.wrapping_neg();
            quotes &= !(end.wrapping_sub(1) & !(from - 1));
        }
    }
}

/// Tells whether quoted fields end where their quotes do.
#[derive(Clone, Copy, Default)]
pub(super) struct FieldEnds {
    /// 1 when the byte before the next one was a carriage return right after a closing quote.
    returned: u64,
    /// Every byte that stands where it must not.
    wrong: u64,
}

impl FieldEnds {
    /// Looks at what follows the quotes of the next chunk.
    #[inline(always)]
    pub(super) fn check(&mut self, masks: &Masks, followed: Followed) {
        let returns = followed.strays & masks.returns;
        self.wrong |= followed.strays ^ returns | (returns << 1 | self.returned) & !masks.newlines;
        self.returned = returns >> 63;
    }

    /// Whether they did so far.
    pub(super) fn are_right(&self) -> bool {
        self.wrong == 0
    }
}

/// Sets each bit that has an odd number of bits up to and with itself.
#[inline(always)]
fn prefix_xor(mut bits: u64) -> u64 {
    for distance in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << distance;
    }
    bits
}
