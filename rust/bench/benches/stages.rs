//! Measures each stage alone under each instruction set: nanoseconds for each field and bytes for each second.
//!
//! `make bench-stages` runs it and writes the table.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, measurement::WallTime};
use csvfeed_bench::tables::{TABLES, Table};
use csvfeed_bench::{BLOCK_BYTES, DIALECT, GROUP, convert_all, text_of};
use csvfeed_core::budget::Budget;
use csvfeed_core::index::Index;
use csvfeed_core::rows::{Parser, Pool};
use csvfeed_core::simd::Simd;
use csvfeed_core::source::{FileSource, Source};
use csvfeed_core::table::ids::Ids;
use csvfeed_core::table::missing::Missing;
use csvfeed_core::table::parts::Parts;
use csvfeed_core::table::schema::{MissingTarget, OnError, Schema};
use csvfeed_core::value::number::Forms;

/// The last column is the target.
fn schema_of(table: &Table) -> Schema {
    Schema {
        columns: (0..table.columns).map(|column| column.to_string()).collect(),
        reference: "header",
        features: (0..table.columns - 1).collect(),
        targets: vec![table.columns - 1],
        weights: Vec::new(),
        encodings: Vec::new(),
        missing: Missing::default(),
        missing_target: MissingTarget::Keep,
        on_error: OnError::Raise,
        max_rejects: None,
        fill: Vec::new(),
        unit_weights: false,
        forms: Forms::default(),
        ids: Ids::default(),
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
    let schema = Arc::new(schema_of(table));
    let bytes = table.write(table.size * 1_000_000);
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
