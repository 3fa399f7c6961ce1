"""What files are compressed with, as tests write them."""

import bz2
import gzip
import io
import lzma
import struct
import zipfile


def zstd(data):
    """Return a frame of zstd whose blocks are stored as they are."""
    pieces = [data[at : at + 100_000] for at in range(0, len(data), 100_000)] or [b""]
    frame = struct.pack("<IBQ", 0xFD2FB528, 0xE0, len(data))
    for number, piece in enumerate(pieces, 1):
        header = len(piece) << 3 | (number == len(pieces))
        frame += struct.pack("<I", header)[:3] + piece
    return frame


def zipped(data, names=("table.csv",), method=zipfile.ZIP_DEFLATED):
    """Return a zip archive that holds the same under each name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in names:
            archive.writestr(name, data)
    return file.getvalue()


CODECS = {
    "gzip": gzip.compress,
    "zstd": zstd,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
}

MEMBERS = ["gzip", "zstd", "bzip2", "xz"]
"""Those whose files may be put one after the other."""
