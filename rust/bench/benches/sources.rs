//! Measures how much of a decompressor's speed is left when its text is parsed into batches.
//!
//! `cargo bench -p csvfeed-bench --bench sources` prints a table. For comparison, the same text is decompressed and
//! thrown away. Both take turns; each time is the median of its rounds.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Cursor, Write as _};
use std::sync::Arc;
use std::time::Instant;

use csvfeed_core::budget::Budget;
use csvfeed_core::dialect::Dialect;
use csvfeed_core::simd::simd;
use csvfeed_core::source::{Codec, MemorySource, Source, Stream, Transcoding};
use csvfeed_core::table::Table;
use csvfeed_core::table::missing::Missing;
use csvfeed_core::table::parts::{Bytes, Part, Parts};
use csvfeed_core::table::schema::{Column, MissingTarget, Schema, Targets};

const MEGABYTES: usize = 150;
const ROUNDS: usize = 7;
const PIECE: usize = 256 << 10;

/// Rows of two numbers.
fn text() -> Vec<u8> {
    let mut text = String::new();
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    while text.len() < MEGABYTES << 20 {
        let (x, y) = (next(), next());
        writeln!(text, "{x:.6},{y:.6}").expect("memory");
    }
    text.into_bytes()
}

fn compress(codec: Codec, text: &[u8]) -> Vec<u8> {
    match codec {
        Codec::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text).expect("memory");
            encoder.finish().expect("memory")
        }
        Codec::Zstd => zstd::encode_all(text, 3).expect("memory"),
        Codec::Bzip2 => {
            let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
            encoder.write_all(text).expect("memory");
            encoder.finish().expect("memory")
        }
        Codec::Zip => {
            let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file("table.csv", options).expect("memory");
            archive.write_all(text).expect("memory");
            archive.finish().expect("memory").into_inner()
        }
        Codec::Xz => unreachable!("nothing here writes xz"),
    }
}

fn decompress(stream: &Stream) -> usize {
    let mut buffer = vec![0; PIECE];
    let mut text = stream.open(0).expect("what was compressed");
    let mut length = 0;
    loop {
        match text.fill(&mut buffer).expect("what was compressed") {
            0 => return length,
            count => length += black_box(&buffer[..count]).len(),
        }
    }
}

fn read(stream: &Arc<Stream>) -> usize {
    let columns = ["x", "y"].map(String::from).to_vec();
    let (target, missing) = ([Column::Index(1)], Missing::default());
    let schema = Schema::resolve(columns, "header", None, &Targets::one(&target, None), missing, MissingTarget::Raise);
    let schema = Arc::new(schema.expect("two columns"));
    let part = Part { bytes: Bytes::Stream(Arc::clone(stream)), data_start: 0, layout: None };
    let table = Table {
        parts: Arc::new(Parts::new(vec![part])),
        dialect: Dialect::new(b',', Some(b'"')),
        schema,
        simd: simd().expect("instructions"),
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    csvfeed_bench::read(&table, Budget::new(threads, None))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let text = text();
    println!("| compressed with | alone, MB/s | into batches, MB/s | of it |");
    println!("|---|---:|---:|---:|");
    for codec in [Codec::Gzip, Codec::Zstd, Codec::Zip, Codec::Bzip2] {
        let source: Arc<dyn Source> = Arc::new(MemorySource::new(compress(codec, &text)));
        let stream = Arc::new(Stream::with(&source, Some(codec), Transcoding::AsItIs).expect("a stream"));
        let (mut alone, mut into_batches) = (vec![], vec![]);
        for _ in 0..ROUNDS {
            let start = Instant::now();
            assert_eq!(decompress(&stream), text.len());
            alone.push(start.elapsed().as_secs_f64());
            let start = Instant::now();
            assert!(read(&stream) > 0);
            into_batches.push(start.elapsed().as_secs_f64());
        }
        let speed = |times| text.len() as f64 / median(times) / 1e6;
        let (alone, into_batches) = (speed(alone), speed(into_batches));
        println!("| {} | {alone:.0} | {into_batches:.0} | {:.0} % |", codec.name(), 100.0 * into_batches / alone);
    }
}
