//! Tests the index against byte-by-byte and field-by-field implementations.

use std::sync::Arc;

use proptest::prelude::*;

use super::chunks::STRIDE;
use super::masks::Special;
use super::*;
use crate::dialect::BadQuote;
use crate::oracle;
use crate::source::MemorySource;
use crate::split::Splitter;

const QUOTED: Dialect = Dialect::new(b',', Some(b'"'));

/// A quoted or unquoted field of about `length` bytes; some are longer than a chunk.
fn field((kind, length, seed): (u8, usize, u64)) -> Vec<u8> {
    let random = |alphabet: &[u8], length: usize| -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            alphabet[(state >> 33) as usize % alphabet.len()]
        };
        (0..length).map(|_| next()).collect()
    };
    let quoted = |inner: Vec<u8>| {
        let inner = inner.iter().flat_map(|&byte| vec![byte; if byte == b'"' { 2 } else { 1 }]);
        [b'"'].into_iter().chain(inner).chain([b'"']).collect()
    };
    match kind {
        0 => random(b"abc1.", length),
        1 => random(b"abc1.", length % 8),
        2 => quoted(random(b"abc", length)),
        3 => quoted(random(b"a,\n\r\"", length)),
        4 => quoted(random(b"\"", length % 3)),
        _ => random(b"a\",\n\r", length % 16),
    }
}

/// Any text that ends with a newline: a three-column table with blank lines, the same with a few wrong bytes, or random
/// special bytes.
pub(crate) fn text() -> impl Strategy<Value = Vec<u8>> {
    let fields = |kinds: u8| prop::collection::vec([(); 3].map(|()| (0..kinds, 0_usize..150, any::<u64>())), 0..20);
    let wrong = |count| prop::collection::vec((any::<prop::sample::Index>(), 0_usize..5), 0..count);
    prop_oneof![(fields(5), wrong(1)), (fields(5), wrong(4)), (fields(6), wrong(1))].prop_map(|(fields, wrong)| {
        let mut text = Vec::new();
        for (at, parts) in fields.into_iter().flatten().enumerate() {
            let ends = [&b"\n"[..], b"\r\n", b"\n", b"\r\n", b"\n\n\r\n"];
            text.extend_from_slice(if at % 3 == 0 { ends[parts.1 % 5] } else { b"," });
            text.extend(field(parts));
        }
        text.push(b'\n');
        for (at, byte) in wrong {
            let at = at.index(text.len());
            text[at] = b"a\",\n\r"[byte];
        }
        text.push(b'\n');
        text
    })
}

/// The end of the field that starts at `start`.
fn field_end(text: &[u8], start: usize) -> std::result::Result<usize, BadQuote> {
    let is_end = |at: usize| matches!(text[at], b',' | b'\n');
    if text[start] != b'"' {
        return Ok((start..text.len()).find(|&at| is_end(at)).expect("a text ends with a newline"));
    }
    let mut closing = start + 1;
    loop {
        match text[closing..] {
            [b'"', b'"', ..] => closing += 2,
            [b'"', ..] => break,
            [_, ..] => closing += 1,
            [] => return Err(BadQuote { position: start, kind: Kind::UnclosedQuote }),
        }
    }
    let end = closing + if text[closing + 1..].starts_with(b"\r\n") { 2 } else { 1 };
    if end < text.len() && is_end(end) {
        Ok(end)
    } else {
        Err(BadQuote { position: start, kind: Kind::TextAfterQuote })
    }
}

fn check_quoted(text: &[u8]) {
    let bytes = [&[b'"'; WINDOW], text].concat();
    let shown = String::from_utf8_lossy(text);
    let special = Special::of(QUOTED).unwrap();
    let mut naive = Vec::new();
    let mut start = WINDOW;
    let wrong = loop {
        if start == bytes.len() {
            break false;
        }
        let Ok(end) = field_end(&bytes, start) else { break true };
        naive.push(end as u32);
        start = end + 1;
    };
    let newlines = naive.iter().filter(|&&mark| bytes[mark as usize] == b'\n').count();
    let line_ends = LineEnds { newlines, returns: text.contains(&b'\r'), in_step: false };
    let rows = oracle::rows(text, QUOTED).len();
    for simd in Simd::available() {
        let mut marks = Marks::default();
        let found = quoted::fill(simd, &bytes, special, &mut marks);
        check_bare(simd, &bytes, &naive, wrong);
        let counted = count::count_quoted(simd, text, special);
        if wrong {
            assert_eq!((found, counted), (None, None), "{simd:?} {shown:?}");
        } else {
            let quoted_newlines = memchr::memchr_iter(b'\n', text).count() - newlines;
            let expected = Some((line_ends, quoted_newlines));
            assert_eq!(found.map(|found| (found.line_ends, found.quoted_newlines)), expected, "{simd:?} {shown:?}");
            assert_eq!(*marks, naive, "{simd:?} {shown:?}");
            assert_eq!(counted, Some(rows), "{simd:?} {shown:?}");
        }
    }
}

/// Checks the marks of fields without the quotes around them. `ends` has the ends of fields, up to a wrong one.
fn check_bare(simd: Simd, bytes: &[u8], ends: &[u32], wrong: bool) {
    let shown = String::from_utf8_lossy(&bytes[WINDOW..]);
    let special = Special::of(QUOTED).unwrap();
    let (mut before, mut after) = (Marks::default(), Marks::default());
    let found = quoted::fill_bare(simd, bytes, special, &mut before, &mut after);
    let starts = [WINDOW as u32].into_iter().chain(ends.iter().map(|end| end + 1));
    let places: Vec<_> = starts.zip(ends).map(|(start, &end)| start as usize..end as usize).collect();
    let is_bare = |place: &Range<usize>| match &bytes[place.clone()] {
        [b'"', inner @ .., b'"'] | [b'"', inner @ .., b'"', b'\r'] => !inner.contains(&b'"'),
        field => !field.contains(&b'"'),
    };
    if wrong || !places.iter().all(is_bare) {
        assert_eq!(found, None, "{simd:?} {shown:?}");
        return;
    }
    let returns = bytes[WINDOW..].contains(&b'\r');
    let newlines = ends.iter().filter(|&&end| bytes[end as usize] == b'\n').count();
    let line_ends = LineEnds { newlines, returns, in_step: false };
    assert_eq!(found.map(|found| found.line_ends), Some(line_ends), "{simd:?} {shown:?}");
    let inner = |place: Range<usize>| match &bytes[place.clone()] {
        [b'"', .., b'"'] => place.start + 1..place.end - 1,
        [b'"', ..] => place.start + 1..place.end,
        _ => place,
    };
    let marked: Vec<_> = before.iter().zip(&*after).map(|(&before, &end)| before as usize + 1..end as usize).collect();
    assert_eq!(marked, places.into_iter().map(inner).collect::<Vec<_>>(), "{simd:?} {shown:?}");
    assert_eq!(before.len(), after.len() + 1, "{simd:?} {shown:?}");
}

#[test]
fn quotes_are_followed_at_every_place() {
    let stride = 64 * STRIDE;
    for before in (0..140).chain(stride - 70..stride + 10) {
        for bytes in [
            &b",\"\"\n"[..],
            b",\"a\"\"\",\"\"\"\"\r\n",
            b",\"a\n,\r\n\"\r\n\r\n\n\"\"\n",
            b"a\"b\"\",\n\"\"",
            b"\"b,\"c\"\r",
            b"\"\r,",
            b"\"\rx\n",
            b",\"a\r\r\n\"\"\n",
            b",\"a\" ,\n\"",
            b",\"a\",\"\",b,\"c\"\r\n\"d,\n\",\"\"\n",
        ] {
            check_quoted(&[&vec![b'x'; before], bytes, b"\n"].concat());
            check_quoted(&[&b"\""[..], &vec![b','; before], bytes, b"\n"].concat());
        }
    }
}

#[test]
fn every_short_text_is_followed() {
    const BYTES: [u8; 5] = *b"a\",\n\r";
    for length in 0..6 {
        for number in 0..5_usize.pow(length) {
            let text = (0..length).map(|place| BYTES[number / 5_usize.pow(place) % 5]);
            check_quoted(&text.chain([b'\n']).collect::<Vec<_>>());
        }
    }
}

proptest! {
    #![proptest_config(crate::checks::cases(3_000))]

    #[test]
    fn marks_are_the_delimiters_and_newlines(
        text in "([,;\n\r+\u{B}x]{0,200}|[,\n;\u{B}\u{C}]{0,200}|[\n]{1000,3000}|[,\n]{0,200}|[x,]{0,600}|([x,]{0,20}[\n]){0,90}|(x{0,40},x{0,40}\n){0,60}|(x{0,9},x,,x{0,2}\n){0,90})[,\nx]?",
        before in 0_usize..3,
        columns in 1_usize..9,
    ) {
        let bytes = [&[b','; WINDOW], text.as_bytes()].concat();
        let naive: Vec<u32> =
            (WINDOW..bytes.len()).filter(|&at| matches!(bytes[at], b',' | b'\n')).map(|at| at as u32).collect();
        for simd in Simd::available() {
            let mut found = Marks::default();
            (0..before).for_each(|mark| found.push(mark as u32));
            let line_ends = plain_marks(simd, &bytes, b',', columns, &mut found);
            prop_assert_eq!(&found[before..], &*naive, "{:?}", simd);
            let newlines = text.bytes().filter(|&byte| byte == b'\n').count();
            let is_newline = |mark: u32| bytes[mark as usize] == b'\n';
            let ought_to_be = |at: usize| at % columns == columns - 1;
            let in_step = naive.iter().enumerate().all(|(at, &mark)| is_newline(mark) == ought_to_be(at));
            let told = simd.name() == "avx512" && matches!(columns, 2 | 4 | 8);
            prop_assert_eq!(line_ends, LineEnds { newlines, returns: text.contains('\r'), in_step: told && in_step });
        }
    }
}

proptest! {
    #![proptest_config(crate::checks::cases(1_000))]

    #[test]
    fn quotes_are_followed(text in text()) {
        check_quoted(&text);
    }

    #[test]
    fn rows_and_errors_are_those_of_the_text(bytes in text()) {
        let splitter = Splitter::new(Simd::Portable, Arc::new(MemorySource::new(bytes.clone())), QUOTED, 0, bytes.len(), 1 << 20);
        let mut text = Text::default();
        prop_assert!(splitter.read(0, &mut text).unwrap());
        prop_assert_eq!(text.bytes(), &*bytes);
        // Finds the error and the rows before it.
        let mut start = 0;
        let mut row = Vec::new();
        let mut rows = Vec::new();
        let bad_quote = loop {
            if start == bytes.len() {
                break None;
            }
            match field_end(&bytes, start) {
                Ok(end) => {
                    row.push(&bytes[start..end]);
                    start = end + 1;
                    if bytes[end] == b'\n' {
                        let last = row.len() - 1;
                        row[last] = row[last].strip_suffix(b"\r").unwrap_or(row[last]);
                        rows.extend(Some(std::mem::take(&mut row)).filter(|row| *row != [b""]));
                    }
                }
                Err(bad) => break Some(bad.into_error(&bytes, 0, QUOTED)),
            }
        };
        let told = |error: Option<&Error>| format!("{error:?}");
        for simd in Simd::available() {
            let counted = count_rows(simd, &text, QUOTED);
            prop_assert_eq!((counted.0, told(counted.1.as_ref())), (rows.len(), told(bad_quote.as_ref())));
        }
        let short = rows.iter().position(|row| row.len() != 3);
        rows.truncate(short.unwrap_or(rows.len()));
        for simd in Simd::available() {
            let mut index = Index::default();
            let error = index.fill(simd, &text, QUOTED, 3, "header");
            let fields: Vec<_> = index.groups(3, 7).flat_map(|group| {
                let fields = group.fields();
                let place = |at| group.whole(text.padded(), fields.place(at));
                (0..3 * group.count()).map(place).collect::<Vec<_>>()
            }).collect();
            let fields: Vec<_> = fields.into_iter().map(|place| &text.padded()[place]).collect();
            prop_assert_eq!(fields.chunks(3).collect::<Vec<_>>(), rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
            if short.is_some() {
                let is_short = matches!(error.unwrap().kind, Kind::RowLength { .. });
                prop_assert!(is_short);
            } else {
                prop_assert_eq!(told(error.as_ref()), told(bad_quote.as_ref()));
            }
        }
    }
}

#[test]
fn quotes_around_fields_are_left_out() {
    let read = |index: &mut Index, bytes: &[u8]| {
        let source = Arc::new(MemorySource::new(bytes.to_vec()));
        let splitter = Splitter::new(Simd::Portable, source, QUOTED, 0, bytes.len(), 1 << 20);
        let mut text = Text::default();
        assert!(splitter.read(0, &mut text).unwrap());
        assert!(index.fill(Simd::available()[0], &text, QUOTED, 2, "header").is_none());
        let row = |rows: Rows<'_>, row| {
            [0, 1].map(|column| rows.place(row, column)).map(|place| text.padded()[place].to_vec())
        };
        index
            .groups(2, usize::MAX)
            .flat_map(|rows| (0..rows.count()).map(|at| row(rows, at)).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let mut index = Index::default();
    let bare = [[b"a".to_vec(), b"1".to_vec()], [b"".to_vec(), b"b,".to_vec()]];
    assert_eq!(read(&mut index, b"\"a\",1\n\"\",\"b,\"\n"), bare);
    assert_eq!(read(&mut index, b"\"a\",1\r\n\"\",\"b,\"\r\n"), bare);
    let doubled = [[b"\"a\"\"\"".to_vec(), b"\"1\"".to_vec()]];
    // The first text after one with other quotes only tells that they have ended.
    assert_eq!(read(&mut index, b"\"a\"\"\",\"1\"\n"), doubled);
    assert_eq!(read(&mut index, b"a,\"1\"\n"), [[b"a".to_vec(), b"\"1\"".to_vec()]]);
    assert_eq!(read(&mut index, b"a,\"1\"\n"), [[b"a".to_vec(), b"1".to_vec()]]);
}

/// Dialects in which some or all texts need the careful scan.
pub(crate) fn careful_dialect() -> impl Strategy<Value = Dialect> {
    (
        prop::sample::select(&b",; "[..]),
        prop::sample::select(&[Some(b'"'), Some(b'\''), None][..]),
        prop::option::of(Just(b'\\')),
        prop::option::of(Just(b'#')),
        prop::array::uniform3(any::<bool>()),
    )
        .prop_map(
            |(delimiter, quote, escape, comment, [skip_initial_space, skip_final_space, fills_short_rows])| Dialect {
                escape,
                comment,
                skip_initial_space,
                skip_final_space,
                fills_short_rows,
                ..Dialect::new(delimiter, quote)
            },
        )
}

/// Any text made of bytes that are special in those dialects.
pub(crate) fn careful_text() -> impl Strategy<Value = Vec<u8>> {
    let soup = "[a1,; \"'\\\\#\n\r]{1,60}";
    let field =
        "[a1]{0,3}|\"([a,; #\n\r]|\\\\[a\\\\\"',\n\r]|\"\"){0,6}\"|(a|\\\\[\\\\\",; '#\n\r]){0,4}|'[a,\n]{0,3}'";
    let rows = format!("((#[a,\\\\\"]{{0,5}}| ?({field}) ?[,; ] ?({field}) ?|)\r?\n){{0,9}}({field})");
    let rows = prop::string::string_regex(&rows).expect("a pattern");
    prop_oneof![soup.prop_map(String::into_bytes), rows.prop_map(String::into_bytes)]
}

proptest! {
    #![proptest_config(crate::checks::cases(5_000))]

    #[test]
    fn careful_rows_are_those_of_the_oracle(bytes in careful_text(), dialect in careful_dialect(), columns in 1_usize..4) {
        prop_assume!(!bytes.is_empty());
        let splitter = Splitter::new(Simd::Portable, Arc::new(MemorySource::new(bytes.clone())), dialect, 0, bytes.len(), 1 << 20);
        let mut text = Text::default();
        prop_assert!(splitter.read(0, &mut text).unwrap());
        let expected = oracle::table(&bytes, dialect, Some(columns));
        let mut index = Index::default();
        for simd in Simd::available() {
            let error = index.fill(simd, &text, dialect, columns, "header");
            let wrong = error.map(|error| (error.offset.unwrap() as usize, match error.kind {
                Kind::UnclosedQuote => oracle::Wrong::Unclosed,
                Kind::TextAfterQuote | Kind::SpaceAfterQuote => oracle::Wrong::AfterQuote,
                Kind::UnclosedEscape => oracle::Wrong::Escape,
                Kind::RowLength { found, .. } => oracle::Wrong::Fields(found),
                kind => panic!("{kind}"),
            }));
            prop_assert_eq!(&wrong, &expected.wrong, "{:?}", simd);
            let places: Vec<_> = index.groups(columns, 3).flat_map(|rows| {
                let fields = rows.fields();
                let place = |at| rows.whole(text.padded(), fields.place(at));
                (0..rows.count() * columns).map(place).collect::<Vec<_>>()
            }).map(|place| place.start - WINDOW..place.end - WINDOW).collect();
            prop_assert_eq!(places, expected.rows.concat(), "{:?}", simd);
            if matches!(wrong, None | Some((_, oracle::Wrong::Fields(_)))) {
                let (rows, error) = count_rows(simd, &text, dialect);
                if error.is_none() {
                    prop_assert_eq!(rows, oracle::rows(&bytes, dialect).len(), "{:?}", simd);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(crate::checks::cases(1_000))]

    #[test]
    fn wrong_rows_are_skipped((bytes, dialect) in prop_oneof![
        text().prop_map(|bytes| (bytes, QUOTED)),
        (careful_text(), careful_dialect()),
    ]) {
        prop_assume!(!bytes.is_empty());
        let splitter = Splitter::new(Simd::Portable, Arc::new(MemorySource::new(bytes.clone())), dialect, 0, bytes.len(), 1 << 20);
        let mut text = Text::default();
        prop_assert!(splitter.read(0, &mut text).unwrap());
        // Each row on its own is right or wrong. The last one may never end.
        let (mut good, mut bad) = (vec![], vec![]);
        let mut start = 0;
        let (lines, unclosed) = oracle::lines(&bytes, dialect);
        for row in lines {
            let found = oracle::table(&row, dialect, Some(3));
            match found.wrong {
                Some((at, wrong)) => bad.push((start + at, wrong)),
                None => good.extend(found.rows.into_iter().flatten().map(|field| field.start + start..field.end + start)),
            }
            start += row.len();
        }
        let mut index = Index::skipping_bad_rows(true);
        for simd in Simd::available() {
            let error = index.fill(simd, &text, dialect, 3, "header");
            prop_assert!(error.as_ref().is_none_or(|error| matches!(error.kind, Kind::UnclosedQuote | Kind::UnclosedEscape)));
            prop_assert_eq!(error.map(|error| error.offset.unwrap() as usize), unclosed.map(|(at, _)| at));
            let found: Vec<_> = index.groups(3, 7).flat_map(|group| {
                let fields = group.fields();
                let place = |at| group.whole(text.padded(), fields.place(at));
                let shift = |place: Range<usize>| place.start - WINDOW..place.end - WINDOW;
                (0..3 * group.count()).map(|at| shift(place(at))).collect::<Vec<_>>()
            }).collect();
            prop_assert_eq!(&found, &good);
            let passed_over: Vec<_> = index.bad_rows().iter().map(|row| {
                let error = row.error(text.padded(), 0_u64.wrapping_sub(WINDOW as u64), 3, "header", dialect);
                let wrong = match error.kind {
                    Kind::RowLength { found, .. } => oracle::Wrong::Fields(found),
                    _ => oracle::Wrong::AfterQuote,
                };
                (error.offset.unwrap() as usize, wrong)
            }).collect();
            prop_assert_eq!(&passed_over, &bad);
        }
    }
}

proptest! {
    #![proptest_config(crate::checks::cases(300))]

    #[test]
    fn picked_are_the_fields_of_the_columns(
        (columns, wanted) in (1_usize..100).prop_flat_map(|columns| {
            let any_order = prop::collection::vec(0..columns, 1..100);
            let in_order = any_order.clone().prop_map(|mut wanted| {
                wanted.sort_unstable();
                wanted
            });
            (Just(columns), prop_oneof![any_order, in_order])
        }),
        rows in 0_usize..20,
    ) {
        let marks: Vec<u32> = (0..=(rows * columns) as u32).map(|at| 7 * at).collect();
        let all = Rows { marks: &marks[..rows * columns], ends: &marks[1..], columns, bare: None };
        let naive = |marks: &[u32]| -> Vec<u32> {
            marks.chunks(columns).flat_map(|row| wanted.iter().map(|&column| row[column])).collect()
        };
        // Old contents must disappear.
        let (mut before, mut ends) = (vec![1; 50], vec![2; 60]);
        for simd in Simd::available() {
            let fields = all.pick(simd, &wanted, &mut before, &mut ends);
            prop_assert_eq!(fields.before, naive(all.marks), "{:?}", simd);
            prop_assert_eq!(fields.ends, naive(all.ends), "{:?}", simd);
        }
    }
}
