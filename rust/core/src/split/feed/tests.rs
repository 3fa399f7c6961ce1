use std::io::Write;
use std::sync::{Barrier, mpsc};
use std::time::Duration;

use super::*;
use crate::budget::Budget;
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

/// A budget for so many threads, with room for `ahead` bytes of decompressed text.
fn budget(threads: u64, ahead: usize) -> Budget {
    Budget { ahead, ..Budget::new(threads as usize, None) }
}

/// The texts of some passes, read by several threads: the offset and bytes of each.
fn texts(parts: &Arc<Parts>, piece: usize, threads: u64, ahead: usize, passes: usize) -> Vec<(u64, Vec<u8>)> {
    let splitter = Splitter::over(Arc::clone(parts), QUOTED, Simd::Portable, piece, 1 << 20, passes > 1)
        .decompressing_ahead(budget(threads, ahead));
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
        threads in 1_u64..5,
        ahead in 0_usize..6_000,
    ) {
        let mut parts = Vec::new();
        let mut expected = Vec::new();
        for (bytes, codec, cut, data_start) in &contents {
            let data_start = *data_start.min(&bytes.len());
            parts.push(part(*codec, bytes, cut.index(bytes.len() + 1), data_start));
            expected.push(&bytes[data_start..]);
        }
        let parts = Arc::new(Parts::new(parts));
        let once = texts(&parts, piece, threads, ahead, 1);
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
        threads in 1_u64..5,
        ahead in 0_usize..3_000,
    ) {
        prop_assume!(contents.iter().any(|content| !content.is_empty()));
        let parts = contents.iter().map(|content| part(Some(Codec::Gzip), content.as_bytes(), 5, 0)).collect();
        let parts = Arc::new(Parts::new(parts));
        let splitter = Splitter::over(Arc::clone(&parts), QUOTED, Simd::Portable, piece, 1 << 20, true)
            .decompressing_ahead(budget(threads, ahead));
        let once: Vec<_> = texts(&parts, piece, 1, 0, 1).into_iter().map(|(_, bytes)| bytes).collect();
        let mut text = Text::default();
        for index in 0..3 * once.len() {
            prop_assert!(splitter.read(index as u64, &mut text).unwrap());
            prop_assert_eq!(text.bytes(), &once[index % once.len()][..]);
        }
    }
}

/// A gzip part that breaks after some of its bytes, or that is followed by something else.
fn broken_part(bytes: &[u8], kept: prop::sample::Index, is_cut: bool) -> Part {
    let mut raw = compress(Some(Codec::Gzip), bytes);
    if is_cut {
        // The header stays: without one, it would be no gzip.
        raw.truncate(10 + kept.index(raw.len() - 10));
    } else {
        raw.extend(b"something else");
    }
    let source: Arc<dyn Source> = Arc::new(MemorySource::new(raw));
    let stream = Stream::with(&source, Some(Codec::Gzip), Transcoding::AsItIs).unwrap();
    Part { bytes: Bytes::Stream(Arc::new(stream)), data_start: 0, layout: None }
}

/// What `work` returns, unless it takes so long that it must be hanging.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(120)).expect("it ends")
}

/// The rows before the first failure, and the place of that failure.
fn read_all(parts: &Arc<Parts>, piece: usize, threads: u64, ahead: usize) -> (Vec<u8>, Option<(u64, String)>) {
    let splitter = Splitter::over(Arc::clone(parts), QUOTED, Simd::Portable, piece, 1 << 20, false)
        .decompressing_ahead(budget(threads, ahead));
    let mut rows = Vec::new();
    let mut text = Text::default();
    for index in 0.. {
        match splitter.read(index, &mut text) {
            Ok(true) => rows.extend_from_slice(text.bytes()),
            Ok(false) => break,
            Err(error) => return (rows, Some((error.offset.unwrap(), error.kind.to_string()))),
        }
        if index + 1 >= splitter.texts() {
            break;
        }
    }
    (rows, None)
}

proptest! {
    #![proptest_config(crate::checks::cases(300))]

    #[test]
    fn a_broken_part_fails_at_its_place_whatever_was_decompressed_ahead(
        contents in prop::collection::vec(("([a-z]{1,9}\n){0,60}", prop::option::weighted(0.3, any::<(prop::sample::Index, bool)>())), 1..8),
        piece in 1_usize..50,
        threads in 2_u64..6,
        ahead in 0_usize..3_000,
    ) {
        let parts = contents.iter().map(|(content, broken)| match broken {
            None => part(Some(Codec::Gzip), content.as_bytes(), 5, 0),
            Some((kept, is_cut)) => broken_part(content.as_bytes(), *kept, *is_cut),
        });
        let parts = Arc::new(Parts::new(parts.collect()));
        let (rows, failure) = in_time({
            let parts = Arc::clone(&parts);
            move || read_all(&parts, piece, threads, ahead)
        });
        prop_assert_eq!(&(rows.clone(), failure.clone()), &read_all(&parts, piece, 1, 0));
        let first = contents.iter().position(|(_, broken)| broken.is_some());
        prop_assert_eq!(failure.map(|(offset, _)| parts.place(offset).0), first);
        let before: Vec<u8> = contents[..first.unwrap_or(contents.len())].iter().flat_map(|(content, _)| content.bytes()).collect();
        prop_assert!(rows.starts_with(&before));
        prop_assert!(first.is_some() || rows == before);
    }

    #[test]
    fn whoever_stops_reading_early_waits_for_nobody(
        contents in prop::collection::vec("([a-z]{1,9}\n){0,60}", 1..8),
        piece in 1_usize..50,
        threads in 1_u64..6,
        ahead in 0_usize..3_000,
        wanted in 0_u64..20,
        (repeat, abandons) in any::<(bool, bool)>(),
    ) {
        let parts = contents.iter().map(|content| part(Some(Codec::Gzip), content.as_bytes(), 5, 0)).collect();
        let parts = Arc::new(Parts::new(parts));
        let splitter = Splitter::over(Arc::clone(&parts), QUOTED, Simd::Portable, piece, 1 << 20, repeat)
            .decompressing_ahead(budget(threads, ahead));
        in_time(move || {
            let mut text = Text::default();
            let mut index = 0;
            while index < wanted && splitter.read(index, &mut text).unwrap() {
                index += 1;
            }
            if abandons {
                splitter.abandon();
                assert!(!splitter.read(index, &mut text).unwrap());
            }
            drop(splitter);
        });
        prop_assert_eq!(Arc::strong_count(&parts), 1);
    }

    #[test]
    fn no_more_text_waits_than_may(
        contents in prop::collection::vec("([a-z]{1,9}\n){0,60}", 1..8),
        piece in 1_usize..50,
        threads in 1_u64..6,
        ahead in 0_usize..3_000,
    ) {
        let parts = contents.iter().map(|content| part(Some(Codec::Gzip), content.as_bytes(), 5, 0)).collect();
        let mut feed = Feed::new(Arc::new(Parts::new(parts)), piece, false);
        feed.run_ahead(threads as usize, ahead);
        let mut text = Text::default();
        for index in 0.. {
            match feed.take(index, &mut text).unwrap() {
                Fed::End => break,
                _ => prop_assert!(feed.shared.lock().queue.waiting() <= feed.shared.most + AHEAD + 1),
            }
        }
    }
}

#[test]
fn later_parts_are_decompressed_while_the_first_waits() {
    let content = "a,1\n".repeat(1_000);
    let parts = || (0..4).map(|_| part(Some(Codec::Gzip), content.as_bytes(), 50, 0)).collect();
    let mut feed = Feed::new(Arc::new(Parts::new(parts())), 100, false);
    feed.run_ahead(3, 1 << 20);
    let mut text = Text::default();
    feed.take(0, &mut text).unwrap();
    // All four parts fit.
    in_time({
        let shared = Arc::clone(&feed.shared);
        move || {
            while shared.lock().queue.pass().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    assert_eq!(feed.per_pass(), 4 * 40);
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
