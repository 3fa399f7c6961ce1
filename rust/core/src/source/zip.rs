//! A zip archive with a single file.

use std::io::{self, BufReader, Read};

use zip::CompressionMethod;
use zip::read::ZipArchive;

use super::codec::INPUT;
use super::raw::{Raw, explain};
use crate::error::{Error, Kind, Result};

/// How many names are listed if there are too many.
const LISTED: usize = 5;

/// The content of the only file in the archive.
pub(super) fn open<'a>(raw: Raw<'a>) -> Result<Box<dyn Read + Send + 'a>> {
    let damaged = |error: zip::result::ZipError| explain("zip", error.into());
    let whole = raw;
    let mut archive = ZipArchive::new(BufReader::with_capacity(INPUT.get(), whole)).map_err(damaged)?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(damaged)?;
        let name = member.name().map_err(damaged)?.into_owned();
        if !member.is_dir() && !name.starts_with("__MACOSX/") {
            found.push((index, name));
        }
    }
    let [(index, ref name)] = found[..] else { return Err(not_one(&found)) };
    let member = archive.by_index_raw(index).map_err(damaged)?;
    if member.encrypted() {
        return Err(Kind::Archive(format!("{name:?} in the zip archive is encrypted: unpack it first")).into());
    }
    let cut_off = || Kind::Damaged { codec: "zip", reason: "it ends too early".to_owned() };
    let start = member.data_start().ok_or_else(cut_off)?;
    let content = whole.part(start, member.compressed_size()).ok_or_else(cut_off)?;
    let content = BufReader::with_capacity(INPUT.get(), content);
    let content: Box<dyn Read + Send + 'a> = match member.compression() {
        CompressionMethod::Stored => Box::new(content),
        CompressionMethod::Deflated => Box::new(flate2::bufread::DeflateDecoder::new(content)),
        method => {
            let message = format!("{name:?} in the zip archive is compressed in a way that is not read ({method})");
            return Err(Kind::Archive(message).into());
        }
    };
    Ok(Box::new(Checked { content, sum: flate2::Crc::new(), expected: member.crc32(), length: member.size(), read: 0 }))
}

fn not_one(found: &[(usize, String)]) -> Error {
    if found.iter().any(|(_, name)| name == "[Content_Types].xml") {
        let is_sheet = found.iter().any(|(_, name)| name.starts_with("xl/"));
        let advice = "export it as CSV, for example with `pandas.read_excel`";
        let (what, advice) =
            if is_sheet { ("an Excel workbook", advice) } else { ("a spreadsheet or a document", "export it as CSV") };
        return Kind::NotText(what, advice).into();
    }
    let is_array = |(_, name): &(usize, String)| name.to_ascii_lowercase().ends_with(".npy");
    if !found.is_empty() && found.iter().all(is_array) {
        return Kind::NotText("an archive of numpy arrays", "load it with `numpy.load`").into();
    }
    let names: Vec<_> = found.iter().take(LISTED).map(|(_, name)| format!("{name:?}")).collect();
    let more = if found.len() > LISTED { format!(" and {} more", found.len() - LISTED) } else { String::new() };
    let message = match found.len() {
        0 => "the zip archive holds no file".to_owned(),
        count => {
            let names = names.join(", ");
            format!(
                "the zip archive holds {count} files, where one can be read: {names}{more}. Unpack it and name them"
            )
        }
    };
    Kind::Archive(message).into()
}

/// Content whose checksum and length are verified at the end.
struct Checked<R> {
    content: R,
    sum: flate2::Crc,
    expected: u32,
    length: u64,
    read: u64,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.sum.update(&buffer[..count]);
        self.read += count as u64;
        if count == 0 && !buffer.is_empty() && (self.sum.sum() != self.expected || self.read != self.length) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "another sum or length than it should have"));
        }
        Ok(count)
    }
}
