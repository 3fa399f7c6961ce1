//! Measures each stage alone under each instruction set: nanoseconds for each field and bytes for each second.
//!
//! `make bench-stages` runs it and writes the table.

use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};
use csvfeed_core::budget::Budget;
use csvfeed_core::dialect::Dialect;
use csvfeed_core::index::Index;
use csvfeed_core::rows::{Parser, Pool};
use csvfeed_core::simd::Simd;
use csvfeed_core::source::{FileSource, MemorySource, Source};
use csvfeed_core::split::Splitter;
use csvfeed_core::table::missing::Missing;
use csvfeed_core::table::parts::Parts;
use csvfeed_core::table::schema::{MissingTarget, OnError, Schema};
use csvfeed_core::text::Text;
use csvfeed_core::value::number::convert;

const DIALECT: Dialect = Dialect::new(b',', Some(b'"'));
/// Bytes of text in a block, as in a release build.
const BLOCK_BYTES: usize = 256 << 10;
/// How many fields are converted together, as in a block.
const GROUP: usize = 4096;
const WIDE: usize = 29;

/// Sebastiano Vigna's splitmix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number between 0 and 1.
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 2_f64.powi(53)
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * (1.0 - radius).ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}

/// Writes the next field.
type Field = fn(&mut Random, &mut String, usize);

/// A file with one kind of field.
struct Table {
    name: &'static str,
    columns: usize,
    /// Millions of bytes.
    size: usize,
    field: Field,
}

/// First the files of the comparison with other readers, then files that the fast paths decline.
const TABLES: [Table; 8] = [
    Table { name: "xy", columns: 2, size: 16, field: counted },
    Table { name: "wide6", columns: WIDE, size: 16, field: six_places },
    Table { name: "higgs", columns: WIDE, size: 16, field: eighteen_places },
    Table { name: "repr", columns: WIDE, size: 16, field: shortest },
    Table { name: "missing", columns: WIDE, size: 2, field: missing },
    Table { name: "quoted", columns: WIDE, size: 2, field: quoted },
    Table { name: "ties", columns: WIDE, size: 2, field: next_to_a_tie },
    Table { name: "mixed", columns: WIDE, size: 2, field: mixed },
];

fn counted(_: &mut Random, text: &mut String, at: usize) {
    write!(text, "{}", 100_000 + at / 2 % 900_000).unwrap();
}

fn six_places(random: &mut Random, text: &mut String, _: usize) {
    write!(text, "{:.6}", random.normal()).unwrap();
}

/// Prints like C's `%.18e` of a float32.
fn eighteen_places(random: &mut Random, text: &mut String, _: usize) {
    let printed = format!("{:.18e}", f64::from(random.normal() as f32));
    let (digits, exponent) = printed.split_once('e').unwrap();
    write!(text, "{digits}e{:+03}", exponent.parse::<i32>().unwrap()).unwrap();
}

fn shortest(random: &mut Random, text: &mut String, _: usize) {
    write!(text, "{}", random.normal()).unwrap();
}

fn missing(_: &mut Random, text: &mut String, _: usize) {
    text.push_str("NA");
}

fn quoted(random: &mut Random, text: &mut String, _: usize) {
    write!(text, "\"{:.6}\"", random.normal()).unwrap();
}

/// A number of any size, off a tie between two float32s by a digit far out: the slowest case for the standard library.
fn next_to_a_tie(random: &mut Random, text: &mut String, _: usize) {
    let below = f32::from_bits(random.bits() as u32 % f32::MAX.to_bits());
    let tie = format!("{:.40e}", f64::midpoint(below.into(), below.next_up().into()));
    let (digits, exponent) = tie.split_once('e').unwrap();
    write!(text, "{digits}1e{exponent}").unwrap();
}

fn mixed(random: &mut Random, text: &mut String, at: usize) {
    const FIELDS: [Field; 8] =
        [counted, six_places, eighteen_places, shortest, missing, quoted, next_to_a_tie, |random, text, _| {
            write!(text, "{:e}", random.normal() * 1e-200).unwrap();
        }];
    let field = FIELDS[(random.bits() >> 61) as usize];
    field(random, text, at);
}

impl Table {
    fn write(&self) -> String {
        let random = &mut Random(6);
        let mut text = String::new();
        let mut at = 0;
        while text.len() < self.size * 1_000_000 {
            for column in 0..self.columns {
                text.push_str(if column == 0 { "" } else { "," });
                (self.field)(random, &mut text, at);
                at += 1;
            }
            text.push('\n');
        }
        text
    }

    /// The last column is the target.
    fn schema(&self) -> Schema {
        Schema {
            columns: (0..self.columns).map(|column| column.to_string()).collect(),
            reference: "header",
            features: (0..self.columns - 1).collect(),
            targets: vec![self.columns - 1],
            weight: None,
            encodings: Vec::new(),
            missing: Missing::default(),
            missing_target: MissingTarget::Keep,
            on_error: OnError::Raise,
            max_rejects: None,
            fill: Vec::new(),
            unit_weights: false,
        }
    }
}

/// A file that is removed when this value is dropped.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("csvfeed-{}-{name}.csv", std::process::id()));
        fs::write(&path, text).expect("room for a temporary file");
        Self(path)
    }

    fn open(&self) -> FileSource {
        FileSource::open(&self.0).expect("the file was just written")
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // If it cannot be removed, it stays among the temporary files.
        let _ = fs::remove_file(&self.0);
    }
}

/// The text in the middle of a file, as a thread reads it.
fn text_of(bytes: &str) -> Text {
    let source = Arc::new(MemorySource::new(bytes.to_owned()));
    let splitter = Splitter::new(Simd::Portable, source, DIALECT, 0, BLOCK_BYTES, 1 << 20);
    let mut text = Text::default();
    for index in 0..=splitter.texts() / 2 {
        assert!(splitter.read(index, &mut text).expect("no row is long"));
    }
    text
}

/// Reads a whole file like the pipeline and counts its lines: a lower bound on the time of any reader.
fn floor(source: &FileSource, buffer: &mut [u8]) -> usize {
    let mut lines = 0;
    for offset in (0..source.len()).step_by(buffer.len()) {
        let piece = &mut buffer[..(source.len() - offset).min(BLOCK_BYTES as u64) as usize];
        source.read_at(offset, piece).expect("the file is as it was");
        lines += memchr::memchr_iter(b'\n', piece).count();
    }
    lines
}

fn convert_all(simd: Simd, text: &Text, index: &Index, columns: usize, values: &mut [f32], declined: &mut Vec<u32>) {
    for rows in index.groups(columns, GROUP / columns) {
        declined.clear();
        convert(simd, text.padded(), DIALECT.quote, rows.fields(), &mut values[..rows.count() * columns], declined);
        black_box(&mut *values);
    }
}

/// Reads a whole file into batches and returns the number of rows.
fn read(simd: Simd, source: FileSource, schema: &Arc<Schema>, threads: usize) -> usize {
    let table = csvfeed_core::table::Table {
        parts: Parts::one(Arc::new(source), 0),
        dialect: DIALECT,
        schema: Arc::clone(schema),
        simd,
    };
    csvfeed_bench::read(&table, Budget::new(threads, None))
}

fn count_per(group: &mut BenchmarkGroup<'_, WallTime>, bytes: &[u8], rows: usize, columns: usize) {
    group.throughput(Throughput::ElementsAndBytes { elements: (rows * columns) as u64, bytes: bytes.len() as u64 });
}

fn measure(criterion: &mut Criterion, table: &Table) {
    let columns = table.columns;
    let schema = Arc::new(table.schema());
    let bytes = table.write();
    let text = text_of(&bytes);
    let mut group = criterion.benchmark_group(table.name);

    let mut index = Index::default();
    assert!(index.fill(Simd::Portable, &text, DIALECT, columns, "header").is_none());
    count_per(&mut group, text.bytes(), index.rows(), columns);
    for simd in Simd::available() {
        group.bench_function(BenchmarkId::new("index", simd.name()), |bencher| {
            bencher.iter(|| index.fill(simd, black_box(&text), DIALECT, columns, "header").is_none());
        });
        let (mut values, mut declined) = (vec![0.0; GROUP], vec![]);
        group.bench_function(BenchmarkId::new("number", simd.name()), |bencher| {
            bencher.iter(|| convert_all(simd, black_box(&text), &index, columns, &mut values, &mut declined));
        });
        let mut parser = Parser::new(&schema, DIALECT, simd);
        let pool = Pool::new(1);
        group.bench_function(BenchmarkId::new("block", simd.name()), |bencher| {
            bencher.iter(|| parser.parse(black_box(&text), &pool).0.rows);
        });
    }

    let file = TemporaryFile::new(table.name, &bytes);
    let source = file.open();
    let mut buffer = vec![0; BLOCK_BYTES];
    let lines = floor(&source, &mut buffer);
    count_per(&mut group, bytes.as_bytes(), lines, columns);
    group.bench_function("floor", |bencher| bencher.iter(|| floor(&source, &mut buffer)));
    for simd in Simd::available() {
        for threads in [1, 2] {
            assert_eq!(read(simd, file.open(), &schema, threads), lines);
            group.bench_function(BenchmarkId::new(format!("pipeline-{threads}"), simd.name()), |bencher| {
                bencher.iter(|| read(simd, file.open(), &schema, threads));
            });
        }
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .nresamples(1000)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .configure_from_args();
    for table in &TABLES {
        measure(&mut criterion, table);
    }
    criterion.final_summary();
}
