//! Recognizes files that are not CSV and names a tool that reads them.

use memchr::memchr_iter;

use crate::error::{Error, Kind, Result};
use crate::source::Source;

/// UTF-32 comes first because its little-endian mark starts with that of UTF-16.
const FOREIGN_BOMS: [(&[u8], &str, &str); 4] = [
    (b"\xFF\xFE\0\0", "UTF-32LE", ""),
    (b"\0\0\xFE\xFF", "UTF-32BE", ""),
    (b"\xFF\xFE", "UTF-16LE", "read it with encoding=\"utf-16\", or "),
    (b"\xFE\xFF", "UTF-16BE", "read it with encoding=\"utf-16\", or "),
];

/// The magic bytes of other formats, what they are, and advice.
const FOREIGN_FORMATS: [(&[u8], &str, &str); 33] = [
    (b"\x1F\x8B", "compressed with gzip", "decompress it, for example with `gunzip`"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet", "unpack it, or export it as CSV"),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", "decompress it, for example with `unzstd`"),
    (b"\xFD7zXZ\0", "compressed with xz", "decompress it, for example with `unxz`"),
    (b"BZh91AY&SY", "compressed with bzip2", "decompress it, for example with `bunzip2`"),
    (b"PAR1\x15", "a Parquet file", "export it as CSV, for example with `pandas.read_parquet`"),
    (b"\x04\x22\x4D\x18", "compressed with lz4", "decompress it, for example with `unlz4`"),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive", "unpack it, for example with `7z x`"),
    (b"\x1F\x9D", "compressed with compress", "decompress it, for example with `uncompress`"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"\x93NUMPY", "an array of numpy", "load it with `numpy.load`"),
    (b"\x80\x02", PICKLE, PICKLE_ADVICE),
    (b"\x80\x03", PICKLE, PICKLE_ADVICE),
    (b"\x80\x04", PICKLE, PICKLE_ADVICE),
    (b"\x80\x05", PICKLE, PICKLE_ADVICE),
    (b"\x89HDF\r\n\x1A\n", "an HDF5 file", "export the table as CSV, for example with `pandas.read_hdf`"),
    (b"ARROW1\0\0", "an Arrow or Feather file", "export it as CSV, for example with `pandas.read_feather`"),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "a spreadsheet or a document of old", "export it as CSV"),
    (b"\x89PNG\r\n\x1A\n", "a PNG image", "name the table"),
    (b"\xFF\xD8\xFF", "a JPEG image", "name the table"),
    (b"GIF87a", "a GIF image", "name the table"),
    (b"GIF89a", "a GIF image", "name the table"),
    (b"%PDF-", "a PDF document", "export its table as CSV"),
    (b"\x7FELF", "a program", "name the table"),
    (b"Obj\x01", "an Avro file", "export it as CSV"),
    (b"ORC\x08", "an ORC file", "export it as CSV, for example with `pandas.read_orc`"),
    (b"RDX2\n", R_DATA, R_ADVICE),
    (b"RDX3\n", R_DATA, R_ADVICE),
    (b"X\n\0\0\0", R_DATA, R_ADVICE),
    (b"<stata_dta>", "a Stata file", "export it as CSV, for example with `pandas.read_stata`"),
    (b"$FL2@(#)", "an SPSS file", "export it as CSV, for example with `pandas.read_spss`"),
    (b"MATLAB 5.0 MAT-file", "a MATLAB file", "load it with `scipy.io.loadmat`"),
    (b"{\\rtf", "a document in Rich Text Format", "export its table as CSV"),
];
const PICKLE: &str = "a Python pickle";
const PICKLE_ADVICE: &str = "export it as CSV, for example with `pandas.read_pickle`";
const R_DATA: &str = "a file of R objects";
const R_ADVICE: &str = "export the table as CSV, with `write.csv` of R";

/// How many bytes of a line are checked for other text formats.
const LINE: u64 = 1 << 12;

/// Returns an error if a file with this beginning is binary or in an unsupported encoding.
pub(super) fn refuse_binary(start: &[u8]) -> Result<()> {
    if let Some((_, name, advice)) = FOREIGN_BOMS.iter().find(|(mark, ..)| start.starts_with(mark)) {
        return Err(Error { offset: Some(0), ..Kind::Encoding(name, advice).into() });
    }
    if let Some((_, what, advice)) = FOREIGN_FORMATS.iter().find(|(mark, ..)| start.starts_with(mark)) {
        return Err(Error { offset: Some(0), ..Kind::NotText(what, advice).into() });
    }
    Ok(())
}

/// Returns an error if the line at byte `offset` belongs to another text format.
pub(super) fn refuse_other_text(source: &dyn Source, offset: u64) -> Result<()> {
    let mut piece = vec![0; (source.len() - offset).min(LINE) as usize];
    source.read_at(offset, &mut piece)?;
    let line = piece.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let is_cut = line.len() as u64 == LINE;
    let line = line.trim_ascii();
    let what = markup(line, is_cut).or_else(|| other_text(line));
    what.map_or(Ok(()), |(what, advice)| Err(Error { offset: Some(offset), ..Kind::NotText(what, advice).into() }))
}

/// Recognizes the first line of other text formats.
fn other_text(line: &[u8]) -> Option<(&'static str, &'static str)> {
    if line.starts_with(b"version https://git-lfs.github.com/spec/") {
        let advice = "fetch the file, with `git lfs pull`";
        return Some(("a Git LFS pointer, which stands for the file", advice));
    }
    if line.len() > 10 && line[..10].eq_ignore_ascii_case(b"@relation ") {
        return Some(("an ARFF file of Weka", "load it with `scipy.io.arff.loadarff`, or export it as CSV"));
    }
    let advice = "load it with `sklearn.datasets.load_svmlight_file`, or export it as CSV";
    is_libsvm(line).then_some(("in the libsvm format (`label index:value ...`)", advice))
}

/// Whether a line is a number followed by `index:value` pairs with rising indices that are not times of day.
fn is_libsvm(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let mut words = line.split('#').next().unwrap_or_default().split(' ').filter(|word| !word.is_empty());
    if words.next().is_none_or(|label| label.parse::<f64>().is_err()) {
        return false;
    }
    let (mut last, mut pairs, mut is_certain) = (-1_i64, 0, false);
    for word in words {
        let Some((index, value)) = word.split_once(':') else { return false };
        let (Ok(number), Ok(_)) = (index.parse::<i64>(), value.parse::<f64>()) else { return false };
        if number <= last {
            return false;
        }
        let is_clock = index.len() <= 2 && number < 25 && value.len() == 2 && value < "60";
        is_certain |= !is_clock;
        (last, pairs) = (number, pairs + 1);
    }
    pairs > 1 && is_certain
}

/// Recognizes markup: what the line seems to be, and advice. The line may be cut off.
fn markup(line: &[u8], is_cut: bool) -> Option<(&'static str, &'static str)> {
    let begins = |tag: &&[u8]| line.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    if [b"<!doctype".as_slice(), b"<html", b"<?xml", b"<!--"].iter().any(begins) {
        return Some(("HTML or XML, as it seems", "get the table itself, or export it as CSV"));
    }
    // JSON inside a row is fine: other fields stand beside it.
    let (opening, inner) = line.split_first()?;
    let begins = match (opening, inner.trim_ascii_start().first()) {
        (b'{', first) => matches!(first, Some(b'"' | b'}') | None),
        (b'[', first) => matches!(first, Some(b'{' | b'[') | None),
        _ => false,
    };
    let ends = is_cut || matches!(line.last(), Some(b'{' | b'[' | b'}' | b']' | b','));
    (begins && ends).then_some(("JSON, as it seems", "export it as CSV, for example with `pandas.read_json`"))
}

/// Names the format of a file whose first row, at byte `offset`, holds NUL bytes.
pub(super) fn binary(row: &[u8], offset: u64) -> Kind {
    // Whether NUL bytes are exactly at these places in every unit of four bytes.
    let starts = |places: [bool; 4]| {
        let mut row = row.iter().take(64).enumerate();
        row.all(|(at, &byte)| (byte == 0) == places[(offset as usize + at) % 4])
    };
    if starts([false, true, true, true]) {
        return Kind::Encoding("UTF-32LE", "");
    }
    if starts([true, true, true, false]) {
        return Kind::Encoding("UTF-32BE", "");
    }
    // In UTF-16, letters beyond Latin-1 have no NUL bytes, but delimiters and line ends do, and no unit is a control
    // character.
    let alternate = |high: usize| {
        let low = |at: usize| if high == 1 { at.checked_sub(1) } else { Some(at + 1) };
        let shown = |byte: u8| byte >= b' ' || matches!(byte, b'\t' | b'\r' | b'\n');
        let mut nuls = memchr_iter(0, &row[..row.len().min(64)]);
        nuls.all(|at| {
            let low = low(at).and_then(|low| row.get(low));
            (offset as usize + at) % 2 == high && low.is_none_or(|&low| shown(low))
        })
    };
    let units = row.len().min(64) / 2;
    let has_enough = memchr_iter(0, &row[..row.len().min(64)]).count() * 8 >= units.max(1);
    if has_enough && alternate(0) {
        Kind::Encoding("UTF-16BE", "read it with encoding=\"utf-16-be\", or ")
    } else if has_enough && alternate(1) {
        Kind::Encoding("UTF-16LE", "read it with encoding=\"utf-16-le\", or ")
    } else {
        Kind::NotText("not text, as its NUL bytes show", "export it as CSV")
    }
}
