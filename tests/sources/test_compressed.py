"""Compressed files: the rows of the text in them, and nothing else, in whatever order."""

import gzip
import io
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

import pytest
from codecs_of import CODECS, MEMBERS, zipped, zstd
from conftest import SMALL
from generated import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numbered import NUMBERED, joined, numbered, numbers_of
from processes import python

import csvfeed

ORDERS = {
    "in order": lambda ds: ds,
    "shuffled": lambda ds: ds.shuffle(seed=3),
    "split": lambda ds: ds.split(0.3, seed=1)[0],
    "split by key": lambda ds: ds.split(0.3, by="key")[1],
    "a shard": lambda ds: ds.shard(1, 3),
}


def in_members(codec, data, cuts):
    """Return a file of several members, cut anywhere."""
    ends = sorted(cut % (len(data) + 1) for cut in cuts)
    return b"".join(
        CODECS[codec](data[start:end])
        for start, end in zip([0, *ends], [*ends, len(data)], strict=True)
    )


@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.too_slow])
@given(
    codec=st.sampled_from(sorted(CODECS)),
    cuts=st.lists(st.integers(0, 10_000), max_size=4),
    way=st.sampled_from(sorted(ORDERS)),
    threads=st.integers(1, 4),
    memory=st.sampled_from([None, SMALL, 8192]),
    batch_size=st.integers(1, 50),
)
def test_the_rows_are_those_of_the_text(codec, cuts, way, threads, memory, batch_size):
    data = numbered(300)
    file = in_members(codec, data, cuts) if codec in MEMBERS else CODECS[codec](data)
    options = {**NUMBERED, "batch_size": batch_size, "threads": threads, "memory": memory}
    plain, compressed = (csvfeed.CsvDataset(source, **options) for source in (data, file))
    for _ in range(2):
        found, expected = (numbers_of(ORDERS[way](ds)) for ds in (compressed, plain))
        if (way == "shuffled" and memory is not None) or way == "a shard":
            # What is mixed, or dealt, goes by where the rows are.
            assert len(found) == len(set(found)) == len(expected)
        else:
            assert found == expected
    assert compressed.num_rows == 300
    dealt = joined(numbers_of(compressed.shard(at, 2)) for at in range(2))
    assert 299 <= len(set(dealt)) == len(dealt)


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow])
@given(
    codecs=st.lists(st.sampled_from([None, *sorted(CODECS)]), min_size=1, max_size=6),
    way=st.sampled_from(["in order", "split", "split by key", "shuffled"]),
    threads=st.integers(1, 4),
    memory=st.sampled_from([None, SMALL]),
)
def test_parts_may_be_compressed_or_not(codecs, way, threads, memory):
    parts = [numbered(50, start=50 * at) for at in range(len(codecs))]
    parts = [
        CODECS[codec](part) if codec else part for codec, part in zip(codecs, parts, strict=True)
    ]
    options = {**NUMBERED, "threads": threads, "memory": memory, "batch_size": 7}
    many = csvfeed.CsvDataset(parts, **options)
    whole = csvfeed.CsvDataset(numbered(50 * len(codecs)), **options)
    found, expected = (numbers_of(ORDERS[way](ds)) for ds in (many, whole))
    if way == "shuffled":
        found, expected = sorted(found), sorted(expected)
    assert found == expected
    assert many.num_rows == 50 * len(codecs)


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_stats_cache_state_and_pickles(write, tmp_path, codec):
    path = write(CODECS[codec](numbered(500)), "table.csv.compressed")
    options = {**NUMBERED, "batch_size": 8, "memory": 4096}
    ds = csvfeed.CsvDataset(path, **options)
    assert ds.stats() == csvfeed.CsvDataset(numbered(500), **options).stats()
    for _ in range(3):
        assert numbers_of(ds.cache(tmp_path / "cache")) == list(range(500))
    for one in (ds, ds.shuffle(seed=5)):
        iterator = iter(one)
        for _ in range(20):
            next(iterator)
        state = one.state_dict()
        rest = numbers_of(iterator)
        twin = pickle.loads(pickle.dumps(one))
        twin.load_state_dict(state)
        assert numbers_of(twin) == rest


def test_the_drop_in_goes_round(write):
    path = write(gzip.compress(b"1,2\n3,4\n5,6\n"), "table.csv.gz")
    batches = csvfeed.generate_arrays_from_file(path, 2)
    assert [next(batches)[1].tolist() for _ in range(4)] == [[2, 4], [6, 2], [4, 6], [2, 4]]


def test_rows_that_are_all_left_out_are_an_error(write):
    path = write(gzip.compress(b"a,b\n" + b"1,NA\n" * 500), "table.csv.gz")
    ds = csvfeed.CsvDataset(path, missing_target="skip", memory=SMALL)
    with pytest.raises(csvfeed.CsvError, match="every row is left out"):
        list(ds)
    with pytest.raises(csvfeed.CsvError, match="every row is left out"):
        next(ds.epochs.endless())


# What is wrong


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_a_file_that_is_cut_off_at_any_byte_is_an_error(codec):
    data = numbered(40)
    file = in_members(codec, data, [900, 901]) if codec in MEMBERS else CODECS[codec](data)
    ends = {len(in_members(codec, data[:end], [900][: end // 901])) for end in (900, 901)}
    for length in range(1, len(file)):
        found = []
        try:
            for batch in csvfeed.CsvDataset(file[:length], **NUMBERED, memory=SMALL, batch_size=1):
                found += numbers_of([batch])
        except csvfeed.CsvError:
            pass
        else:
            # The end of a member is the end of a file, but seldom that of a row.
            assert length in ends
        assert found == list(range(len(found)))


@pytest.mark.parametrize("codec", sorted(CODECS))
def test_a_file_that_is_cut_off_says_so(write, codec):
    file = CODECS[codec](numbered(5000))
    path = write(file[: len(file) // 2], "table.csv.compressed")
    with pytest.raises(csvfeed.CsvError, match="damaged or cut off") as caught:
        list(csvfeed.CsvDataset(path, **NUMBERED, batch_size=100))
    assert caught.value.path == path
    assert codec in str(caught.value)


@pytest.mark.parametrize("codec", ["gzip", "xz", "bzip2", "zip"])
@pytest.mark.parametrize("way", ["in order", "shuffled"])
def test_a_damaged_file_is_an_error(codec, way):
    file = bytearray(CODECS[codec](numbered(2000)))
    file[len(file) // 2] ^= 0x10
    with pytest.raises(csvfeed.CsvError):
        list(ORDERS[way](csvfeed.CsvDataset(bytes(file), **NUMBERED)))


def test_what_follows_a_gzip_file(features):
    file = gzip.compress(b"a,b\n1,2\n")
    assert features(file + b"\0" * 1000) == [[1, 2]]
    with pytest.raises(csvfeed.CsvError, match="follows the last member"):
        features(file + b"\0" * 1000 + b"x")


def test_an_archive_holds_one_file(features):
    data = b"a,b\n1,2\n"
    assert features(zipped(data, ["sub/", "sub/a.csv", "__MACOSX/._a.csv"])) == [[1, 2]]
    assert features(zipped(data, method=zipfile.ZIP_STORED)) == [[1, 2]]
    with pytest.raises(csvfeed.CsvError, match="2 files.*'a.csv', 'b.csv'".replace("'", '"')):
        features(zipped(data, ["a.csv", "b.csv"]))
    with pytest.raises(csvfeed.CsvError, match="holds no file"):
        features(zipped(data, []))
    with pytest.raises(csvfeed.CsvError, match="is compressed in a way that is not read"):
        features(zipped(data, method=zipfile.ZIP_LZMA))
    with pytest.raises(csvfeed.EncodingError, match="Excel workbook"):
        features(zipped(data, ["[Content_Types].xml", "xl/workbook.xml"]))


def test_an_archive_of_files_is_refused():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("table.csv")
        member.size = 8
        archive.addfile(member, io.BytesIO(b"a,b\n1,2\n"))
    with pytest.raises(csvfeed.EncodingError, match="tar archive"):
        csvfeed.CsvDataset(file.getvalue())
    with pytest.raises(csvfeed.EncodingError, match="compressed with gzip"):
        csvfeed.CsvDataset(gzip.compress(gzip.compress(b"a,b\n1,2\n")))
    with pytest.raises(csvfeed.CsvError):
        list(csvfeed.CsvDataset(gzip.compress(random.Random(1).randbytes(5000))))


def test_an_empty_file_and_one_without_rows():
    with pytest.raises(csvfeed.CsvError, match="empty"):
        csvfeed.CsvDataset(gzip.compress(b""))
    with pytest.raises(csvfeed.CsvError, match="no rows"):
        csvfeed.CsvDataset(gzip.compress(b"a,b\n"))


def test_an_error_has_its_place_in_the_text(write):
    data = numbered(3000).replace(b"\n2000,", b"\ntwo,")
    path = write(gzip.compress(data), "table.csv.gz")
    for way in ("in order", "shuffled"):
        with pytest.raises(csvfeed.NumberError) as caught:
            list(ORDERS[way](csvfeed.CsvDataset(path, **NUMBERED)))
        error = caught.value
        assert (error.path, error.line, error.text) == (path, 2002, "two")
        assert data[error.byte_offset :].startswith(b"two,")


def test_a_compressed_file_that_changes_is_an_error(write):
    path = write(gzip.compress(numbered(500)), "table.csv.gz")
    os.utime(path, (10**9, 10**9))
    ds = csvfeed.CsvDataset(path, **NUMBERED)
    list(ds.shuffle(seed=1))
    Path(path).write_bytes(gzip.compress(numbered(501)))
    for order in ORDERS.values():
        with pytest.raises(csvfeed.SourceChangedError):
            list(order(ds))


# Where the text is kept


def spools():
    """Return how many temporary files of csvfeed this process has open."""
    links = Path("/proc/self/fd").iterdir()
    return sum(".csvfeed-" in os.readlink(link) for link in links if link.is_symlink())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks at /proc")
def test_text_is_kept_once_and_only_when_it_must_be(write, tmp_path):
    path = write(gzip.compress(numbered(500)), "table.csv.gz")
    before = spools()
    ds = csvfeed.CsvDataset(path, **NUMBERED)
    list(ds)
    assert (len(ds), spools()) == (16, before)
    ds.stats()
    assert spools() == before
    others = [csvfeed.CsvDataset(path, **NUMBERED) for _ in range(3)]
    for one in (ds, *others):
        list(one.shuffle(seed=1))
        list(one.split(0.5)[0])
    assert spools() == before + 1
    del ds, one, others
    assert spools() == before
    assert not list(Path(tempfile.gettempdir()).glob(".csvfeed-*"))
    cached = csvfeed.CsvDataset(path, **NUMBERED).cache(tmp_path / "cache")
    list(cached)
    del cached
    # Whatever is cached needs no text.
    cached = csvfeed.CsvDataset(path, **NUMBERED).cache(tmp_path / "cache")
    list(cached)
    assert spools() == before
    file = next((tmp_path / "cache").iterdir())
    with file.open("r+b") as open_file:
        open_file.seek(-900, os.SEEK_END)
        open_file.write(b"\xff" * 50)
    assert numbers_of(cached) == list(range(500))


def test_a_directory_that_is_not_there_is_told(write):
    path = write(gzip.compress(numbered(5)), "table.csv.gz")
    code = """
        import sys, tempfile, csvfeed
        tempfile.tempdir = sys.argv[2]
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y")
        try:
            list(ds.shuffle(seed=1))
        except OSError as error:
            print(error.filename, "TMPDIR" in str(error))
    """
    assert python(code, path, "/nowhere") == "/nowhere True\n"


def test_a_full_disk_is_told(write):
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("needs a way to limit the size of a file")
    path = write(gzip.compress(numbered(100_000)), "table.csv.gz")
    code = """
        import resource, signal, sys, csvfeed
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y")
        try:
            list(ds.shuffle(seed=1))
        except OSError as error:
            print("TMPDIR" in str(error))
        print(sum(len(y) for _, y in ds))
    """
    assert python(code, path) == "True\n100000\n"


def test_ctrl_c_while_text_is_kept(write):
    path = write(gzip.compress(numbered(2_000_000), 1), "table.csv.gz")
    code = """
        import sys, csvfeed
        ds = csvfeed.CsvDataset(sys.argv[1], features=["x"], target="y").shuffle(seed=1)
        print("go", flush=True)
        iter(ds)
    """
    lines = "\n".join(line[8:] for line in code.splitlines())
    process = subprocess.Popen(
        [sys.executable, "-c", lines, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"go\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode != 0
    assert b"KeyboardInterrupt" in errors


# As others write them


@pytest.mark.skipif(shutil.which("zstd") is None, reason="needs zstd")
def test_zstd_as_its_tool_writes_it(tmp_path):
    data = numbered(5000)
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    for options in (["-1"], ["-19", "--long=27"], ["--ultra", "-22", "--no-check"]):
        subprocess.run(["zstd", "-q", "-f", *options, path], check=True)
        ds = csvfeed.CsvDataset(f"{path}.zst", **NUMBERED)
        assert numbers_of(ds) == list(range(5000))


def test_a_frame_to_be_skipped_and_many_frames(features):
    skipped = b"\x50\x2a\x4d\x18\x05\x00\x00\x00hello"
    assert features(skipped + zstd(b"a,b\n1") + skipped + zstd(b",2\n")) == [[1, 2]]


def test_bgzip_is_gzip():
    # Blocks of gzip with their length in the header, and an empty one at the end.
    data = numbered(3000)
    blocks = []
    for at in range(0, len(data), 60_000):
        plain = gzip.compress(data[at : at + 60_000], mtime=0)
        extra = b"\x06\x00BC\x02\x00" + (len(plain) + 8 - 1).to_bytes(2, "little")
        blocks.append(plain[:3] + b"\x04" + plain[4:10] + extra + plain[10:])
    empty = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
    ds = csvfeed.CsvDataset(b"".join(blocks) + empty, **NUMBERED, memory=SMALL)
    assert numbers_of(ds) == list(range(3000))
