//! A thread that supplies the pieces of parts whose length is unknown.
//!
//! The thread fills buffers in the layout that the parsers need. They take and return these buffers without a copy. For
//! parts that can be read at any offset, it only names the pieces; whoever takes such a piece reads it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::budget::within_memory;
use crate::error::{Error, Kind, Result};
use crate::source::Stream;
use crate::table::parts::{Bytes, Parts};
use crate::text::Text;

/// How many pieces may wait to be taken.
const AHEAD: usize = 4;

/// Supplies pieces from a thread.
pub(super) struct Feed {
    shared: Arc<Shared>,
    /// Started on the first request for a piece.
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The process that started the thread.
    process: u32,
}

/// The answer to a request for a piece.
pub(super) enum Fed {
    /// The piece is in the text.
    Text { last: bool },
    /// The piece must be read from the part at this offset from its first row.
    Place { part: usize, offset: u64, last: bool },
    /// There is no such piece.
    End,
    /// Reading was abandoned.
    Nothing,
}

enum Piece {
    Text { text: Text, last: bool },
    Place { part: usize, offset: u64, last: bool },
    Failure(Error),
}

struct Shared {
    parts: Arc<Parts>,
    size: usize,
    repeat: bool,
    state: Mutex<State>,
    /// Signals that a piece arrived or that everything ends.
    arrived: Condvar,
    /// Signals that a piece was taken or that everything ends.
    taken: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the first of `pieces`.
    first: u64,
    /// The pieces supplied so far; `None` where one was taken.
    pieces: VecDeque<Option<Piece>>,
    /// How many pieces are waiting.
    waiting: usize,
    /// Buffers for reuse.
    free: Vec<Text>,
    /// The number of pieces in a pass, known after the first pass.
    pass: Option<u64>,
    /// Whether all pieces have been supplied.
    ended: bool,
    stopped: bool,
    /// Whether the thread ended before it had finished.
    broken: bool,
}

impl Feed {
    /// With `repeat`, starts over at the end, for ever.
    pub(super) fn new(parts: Arc<Parts>, size: usize, repeat: bool) -> Self {
        let state = Mutex::default();
        let shared = Shared { parts, size, repeat, state, arrived: Condvar::new(), taken: Condvar::new() };
        Self { shared: Arc::new(shared), thread: Mutex::new(None), process: std::process::id() }
    }

    pub(super) fn per_pass(&self) -> u64 {
        self.shared.lock().pass.unwrap_or(u64::MAX)
    }

    /// Takes piece `index`, into `text` if its bytes are at hand.
    pub(super) fn take(&self, index: u64, text: &mut Text) -> Result<Fed> {
        self.start()?;
        let mut state = self.shared.lock();
        let piece = loop {
            let place = (index - state.first) as usize;
            if state.stopped {
                return Ok(Fed::Nothing);
            }
            if place < state.pieces.len() {
                break state.pieces[place].take().expect("each piece is taken once");
            }
            if state.ended {
                return Ok(Fed::End);
            }
            if state.broken {
                return Err(Kind::Internal.into());
            }
            state = self.shared.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        state.waiting -= 1;
        while let Some(None) = state.pieces.front() {
            state.pieces.pop_front();
            state.first += 1;
        }
        let fed = match piece {
            Piece::Text { text: found, last } => {
                state.free.push(std::mem::replace(text, found));
                Ok(Fed::Text { last })
            }
            Piece::Place { part, offset, last } => Ok(Fed::Place { part, offset, last }),
            Piece::Failure(error) => Err(error),
        };
        drop(state);
        self.shared.taken.notify_one();
        fed
    }

    fn start(&self) -> Result<()> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.is_none() {
            let shared = Arc::clone(&self.shared);
            let work = move || {
                let alarm = Alarm(&shared);
                let result = within_memory(|| shared.work()).unwrap_or_else(|| Err(Kind::OutOfMemory.into()));
                if let Err(error) = result {
                    shared.put(Piece::Failure(error));
                }
                std::mem::forget(alarm);
            };
            let builder = std::thread::Builder::new().name("csvfeed-stream".to_owned());
            *thread = Some(builder.spawn(work).map_err(Kind::Threads)?);
        }
        Ok(())
    }

    /// Stops the thread.
    pub(super) fn stop(&self) {
        self.shared.lock().stopped = true;
        self.shared.arrived.notify_all();
        self.shared.taken.notify_all();
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if self.process != std::process::id() {
            // The thread runs in the other process only, and the lock is in the state that process left it in.
            return std::mem::forget(thread);
        }
        self.stop();
        // A panic has already been reported to the waiting reader.
        thread.map(JoinHandle::join);
    }
}

/// Wakes the waiting readers when the thread ends or panics.
struct Alarm<'a>(&'a Shared);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.lock().broken = true;
        self.0.arrived.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes through the parts, once or until it is stopped.
    fn work(&self) -> Result<()> {
        let mut pass = Pass { shared: self, pieces: 0, pending: None };
        loop {
            for part in 0..self.parts.count() {
                let goes_on = match &self.parts.part(part).bytes {
                    Bytes::Stream(stream) => pass.stream(part, stream)?,
                    Bytes::Source(_) => pass.name(part),
                };
                if !goes_on {
                    return Ok(());
                }
            }
            // Readers must learn the end of the pass before they get its last piece.
            self.lock().pass = Some(pass.pieces);
            let is_empty = pass.pieces == 0;
            if !pass.flush() || !self.repeat || is_empty {
                self.lock().ended = true;
                self.arrived.notify_all();
                return Ok(());
            }
            pass.pieces = 0;
        }
    }

    /// Hands a piece over once there is room. Returns false when everything ends.
    fn put(&self, piece: Piece) -> bool {
        let mut state = self.lock();
        while !state.stopped && state.waiting >= AHEAD {
            state = self.taken.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stopped {
            return false;
        }
        state.pieces.push_back(Some(piece));
        state.waiting += 1;
        drop(state);
        self.arrived.notify_all();
        true
    }

    /// A buffer with room for a piece of a part.
    fn buffer(&self, part: usize) -> Text {
        let mut text = self.lock().free.pop().unwrap_or_default();
        text.make_room(self.size);
        text.layout.clone_from(&self.parts.part(part).layout);
        text
    }
}

/// One pass through the parts. It holds back the latest piece until it knows whether that piece is the last of its
/// part, and of the pass.
struct Pass<'a> {
    shared: &'a Shared,
    pieces: u64,
    pending: Option<Piece>,
}

impl Pass<'_> {
    fn flush(&mut self) -> bool {
        self.pending.take().is_none_or(|piece| self.shared.put(piece))
    }

    fn put(&mut self, piece: Piece) -> bool {
        self.pieces += 1;
        self.flush() && {
            self.pending = Some(piece);
            true
        }
    }

    fn end_part(&mut self) {
        if let Some(Piece::Text { last, .. } | Piece::Place { last, .. }) = &mut self.pending {
            *last = true;
        }
    }

    /// Names the pieces of a part that the readers can read themselves.
    fn name(&mut self, part: usize) -> bool {
        let length = self.shared.parts.part(part).data_length().unwrap_or(0);
        let size = self.shared.size as u64;
        (0..length.div_ceil(size)).all(|piece| {
            let offset = piece * size;
            self.put(Piece::Place { part, offset, last: length - offset <= size })
        })
    }

    /// Supplies the pieces of a stream.
    fn stream(&mut self, part: usize, stream: &Stream) -> Result<bool> {
        let result = self.read_pieces(part, stream);
        if let Err(error) = result {
            // The piece held back is complete, but it is not the end of the part.
            self.flush();
            let parts = &self.shared.parts;
            let offset = error.offset.map_or_else(|| parts.data_start(part), |offset| parts.place_of(part, offset));
            return Err(Error { offset: Some(offset), ..error });
        }
        result
    }

    fn read_pieces(&mut self, part: usize, stream: &Stream) -> Result<bool> {
        let mut offset = self.shared.parts.data_start(part);
        let mut bytes = stream.open(self.shared.parts.part(part).data_start)?;
        loop {
            let mut text = self.shared.buffer(part);
            let (start, end) = (text.start, text.end);
            let mut filled = start;
            while filled < end {
                let count = bytes.next(&mut text.buffer[filled..end])?;
                if count == 0 {
                    break;
                }
                filled += count;
                if self.shared.lock().stopped {
                    return Ok(false);
                }
            }
            text.end = filled;
            text.offset = offset;
            offset += (filled - start) as u64;
            let is_end = filled < end;
            if filled > start && !self.put(Piece::Text { text, last: false }) {
                return Ok(false);
            }
            if is_end {
                self.end_part();
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Barrier;

    use super::*;
    use crate::dialect::Dialect;
    use crate::index::tests::text;
    use crate::oracle;
    use crate::simd::Simd;
    use crate::source::{Codec, MemorySource, Source, Transcoding};
    use crate::split::Splitter;
    use crate::table::parts::Part;
    use proptest::prelude::*;

    const QUOTED: Dialect = Dialect::new(b',', Some(b'"'));

    fn compress(codec: Option<Codec>, bytes: &[u8]) -> Vec<u8> {
        match codec {
            None => bytes.to_vec(),
            Some(Codec::Gzip) => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Some(Codec::Zstd) => zstd::encode_all(bytes, 1).unwrap(),
            Some(Codec::Bzip2) => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Some(codec) => unreachable!("{codec:?}"),
        }
    }

    /// A compressed part with two members, whose rows begin at byte `data_start` of the text.
    fn part(codec: Option<Codec>, bytes: &[u8], cut: usize, data_start: usize) -> Part {
        let raw = if codec.is_none() {
            bytes.to_vec()
        } else {
            let (one, other) = bytes.split_at(cut.min(bytes.len()));
            [compress(codec, one), compress(codec, other)].concat()
        };
        let source: Arc<dyn Source> = Arc::new(MemorySource::new(raw));
        let bytes = match Stream::with(&source, codec, Transcoding::AsItIs) {
            Some(stream) => Bytes::Stream(Arc::new(stream)),
            None => Bytes::Source(source),
        };
        Part { bytes, data_start: data_start as u64, layout: None }
    }

    /// The texts of some passes, read by several threads: the offset and bytes of each.
    fn texts(parts: &Arc<Parts>, piece: usize, threads: u64, passes: usize) -> Vec<(u64, Vec<u8>)> {
        let splitter = Splitter::over(Arc::clone(parts), QUOTED, Simd::Portable, piece, 1 << 20, passes > 1);
        let found = Mutex::new(Vec::new());
        let next = Mutex::new(0_u64);
        let begin = Barrier::new(threads as usize);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    begin.wait();
                    let mut text = Text::default();
                    loop {
                        let index = {
                            let mut next = next.lock().unwrap();
                            *next += 1;
                            *next - 1
                        };
                        // The number of texts is unknown until the first pass ends.
                        if index >= splitter.texts().saturating_mul(passes as u64)
                            || !splitter.read(index, &mut text).unwrap()
                        {
                            return;
                        }
                        found.lock().unwrap().push((index, text.offset, text.bytes().to_vec()));
                    }
                });
            }
        });
        let mut found = found.into_inner().unwrap();
        found.sort_unstable();
        let most = splitter.texts() as usize * passes;
        found.into_iter().take(most).map(|(_, offset, bytes)| (offset, bytes)).collect()
    }

    proptest! {
        #![proptest_config(crate::checks::cases(300))]

        #[test]
        fn the_texts_of_parts_are_their_rows(
            contents in prop::collection::vec(
                (
                    prop_oneof![text(), "[a\",\n\r]{0,60}".prop_map(String::into_bytes)],
                    prop::sample::select(&[None, Some(Codec::Gzip), Some(Codec::Zstd), Some(Codec::Bzip2)]),
                    any::<prop::sample::Index>(),
                    0_usize..4,
                ),
                1..6,
            ),
            piece in prop_oneof![1_usize..200, 900_usize..1200],
            threads in 1_u64..4,
        ) {
            let mut parts = Vec::new();
            let mut expected = Vec::new();
            for (bytes, codec, cut, data_start) in &contents {
                let data_start = *data_start.min(&bytes.len());
                parts.push(part(*codec, bytes, cut.index(bytes.len() + 1), data_start));
                expected.push(&bytes[data_start..]);
            }
            let parts = Arc::new(Parts::new(parts));
            let once = texts(&parts, piece, threads, 1);
            let mut joined = vec![Vec::new(); contents.len()];
            for (offset, bytes) in &once {
                if bytes.is_empty() {
                    continue;
                }
                let (part, at) = parts.place(*offset);
                prop_assert_eq!(at as usize, parts.part(part).data_start as usize + joined[part].len());
                prop_assert!(joined[part + 1..].iter().all(Vec::is_empty), "parts come in their order");
                joined[part].extend_from_slice(bytes);
            }
            for (found, expected) in joined.iter().zip(expected) {
                let newline = !expected.is_empty() && !expected.ends_with(b"\n");
                prop_assert_eq!(found, &[expected, if newline { b"\n" } else { b"" }].concat());
                prop_assert_eq!(oracle::rows(found, QUOTED), oracle::rows(expected, QUOTED));
            }
        }

        #[test]
        fn an_endless_pass_begins_again(
            contents in prop::collection::vec("([a-z]{1,9}\n){0,30}", 1..4),
            piece in 1_usize..50,
        ) {
            prop_assume!(contents.iter().any(|content| !content.is_empty()));
            let parts = contents.iter().map(|content| part(Some(Codec::Gzip), content.as_bytes(), 5, 0)).collect();
            let parts = Arc::new(Parts::new(parts));
            let splitter = Splitter::over(Arc::clone(&parts), QUOTED, Simd::Portable, piece, 1 << 20, true);
            let once: Vec<_> = texts(&parts, piece, 1, 1).into_iter().map(|(_, bytes)| bytes).collect();
            let mut text = Text::default();
            for index in 0..3 * once.len() {
                prop_assert!(splitter.read(index as u64, &mut text).unwrap());
                prop_assert_eq!(text.bytes(), &once[index % once.len()][..]);
            }
        }
    }

    #[test]
    fn abandoning_a_stream_ends_its_thread() {
        let content = "a,1\n".repeat(100_000);
        let parts = Arc::new(Parts::new(vec![part(Some(Codec::Gzip), content.as_bytes(), 50, 0)]));
        let splitter = Splitter::over(Arc::clone(&parts), QUOTED, Simd::Portable, 64, 1 << 20, false);
        let mut text = Text::default();
        assert!(splitter.read(0, &mut text).unwrap());
        splitter.abandon();
        assert!(!splitter.read(1, &mut text).unwrap());
        drop(splitter);
        assert_eq!(Arc::strong_count(&parts), 1);
    }
}
