//! Finds which bytes are inside quotes, 64 at a time and exactly for any text.

use super::chunks::Instructions;
use super::masks::Masks;

/// The state of the reader between two bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Before the first byte of a line. A field or a comment begins here.
    #[default]
    LineStart,
    /// Before the first byte of a field. A quote opens it.
    FieldStart,
    /// Inside a field, outside quotes. A quote is an ordinary byte.
    Field,
    /// Inside quotes.
    Quoted,
    /// After a quote inside quotes. Another quote makes it a literal one; anything else ends the quotes.
    QuoteInQuoted,
    /// After spaces at the beginning of a field. A quote still opens it.
    Space,
    /// After spaces that follow a closing quote. The field ends here.
    AfterQuote,
    /// After a carriage return that follows a closing quote. The line ends here.
    Returned,
    /// After an escape outside quotes.
    Escaped,
    /// After an escape inside quotes.
    EscapedInQuoted,
    /// Inside a comment.
    Comment,
}

impl State {
    /// All states, in the order of their numbers.
    pub(crate) const ALL: [Self; 11] = [
        Self::LineStart,
        Self::FieldStart,
        Self::Field,
        Self::Quoted,
        Self::QuoteInQuoted,
        Self::Space,
        Self::AfterQuote,
        Self::Returned,
        Self::Escaped,
        Self::EscapedInQuoted,
        Self::Comment,
    ];

    /// Whether only the careful scan knows this state.
    pub(crate) fn is_for_careful_scan(self) -> bool {
        matches!(self, Self::Space | Self::AfterQuote | Self::Escaped | Self::EscapedInQuoted | Self::Comment)
    }
}

/// Tracks quotes from chunk to chunk.
///
/// A byte is inside quotes if an odd number of quotes precede it; a doubled quote counts as one that closes and one
/// that opens again. This holds once the quotes within unquoted fields are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quotes {
    /// All ones if the next byte is inside quotes.
    inside: u64,
    /// 1 if a quote at the next byte would open a field.
    may_open: u64,
    /// 1 if the previous byte was a closing quote.
    closed: u64,
}

/// The contents of a chunk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Followed {
    /// The delimiters and newlines outside quotes.
    pub ends: u64,
    /// The closing quotes.
    closing: u64,
    /// The bytes right after a closing quote that neither end the field nor reopen the quotes.
    strays: u64,
    /// The second of two quotes inside quotes.
    doubled: u64,
    /// The quotes in unquoted fields.
    ordinary: u64,
}

/// What the last chunk says about the state after it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Last {
    ends: u64,
    closing: u64,
}

impl Followed {
    #[inline(always)]
    pub(crate) fn last(&self) -> Last {
        Last { ends: self.ends, closing: self.closing }
    }

    /// Whether there are quotes in unquoted fields.
    #[inline(always)]
    pub(crate) fn has_ordinary(&self) -> bool {
        self.ordinary != 0
    }

    /// Whether quotes stand only around fields.
    #[inline(always)]
    pub(super) fn is_bare(&self) -> bool {
        self.doubled | self.ordinary == 0
    }
}

impl Quotes {
    /// Starts before the first byte, in `state`.
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

    /// The state after `length` bytes, the number of bytes followed.
    pub(crate) fn state(self, last: Last, length: usize) -> State {
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

    /// Processes the next chunk.
    #[inline(always)]
    pub(crate) fn follow<I: Instructions>(&mut self, instructions: I, masks: &Masks) -> Followed {
        let mut quotes = masks.quotes;
        loop {
            let within = instructions.prefix_xor(quotes) ^ self.inside;
            let ends = masks.ends & !within;
            let closing = quotes & !within;
            let before_opening = ends | closing;
            let ordinary = quotes & within & !(before_opening << 1 | self.may_open);
            if ordinary == 0 {
                let after = closing << 1 | self.closed;
                let strays = after & !ends & !quotes;
                // Spreads the bit of the last byte over all bits.
                let inside = (within as i64 >> 63) as u64;
                *self = Self { inside, may_open: before_opening >> 63, closed: closing >> 63 };
                let doubled = after & quotes;
                return Followed { ends, closing, strays, doubled, ordinary: masks.quotes ^ quotes };
            }
            // Everything before the first such quote is right. So this quote, and all others up to the end of its
            // field, are ordinary bytes. Removing them may change how the rest is read.
            let from = ordinary & ordinary.wrapping_neg();
            let end = masks.ends & !(from - 1);
            let end = end & end.wrapping_neg();
            quotes &= !(end.wrapping_sub(1) & !(from - 1));
        }
    }
}

/// Checks that quoted fields end with their closing quotes.
#[derive(Clone, Copy, Default)]
pub(super) struct FieldEnds {
    /// 1 if the previous byte was a carriage return right after a closing quote.
    returned: u64,
    /// The misplaced bytes.
    wrong: u64,
}

impl FieldEnds {
    /// Checks what follows the closing quotes of the next chunk.
    #[inline(always)]
    pub(super) fn check(&mut self, masks: &Masks, followed: Followed) {
        let returns = followed.strays & masks.returns;
        self.wrong |= followed.strays ^ returns | (returns << 1 | self.returned) & !masks.newlines;
        self.returned = returns >> 63;
    }

    /// Whether all quoted fields so far ended correctly.
    pub(super) fn are_valid(&self) -> bool {
        self.wrong == 0
    }
}
