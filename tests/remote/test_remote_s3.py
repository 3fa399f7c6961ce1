import os
import random

import pytest

import csvfeed
from csvfeed.remote import RemoteFile, handle, retries

pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

CONTENT = random.Random(0).randbytes(1_234_567)
KEYS = {"key": "AKIAOFATEST", "secret": "a-secret-of-a-test"}


@pytest.fixture(scope="module")
def endpoint():
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch):
    """Return what puts an object into an empty bucket."""
    import s3fs

    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(retries, "GROWTH", 1.0)
    monkeypatch.setattr(handle, "RANGE", 1 << 17)
    system = s3fs.S3FileSystem(**KEYS, endpoint_url=endpoint, skip_instance_cache=True)
    system.mkdir("box")
    yield lambda name, content: system.pipe(f"box/{name}", content)
    system.rm("box", recursive=True)


def size_of(remote):
    with remote.open() as file:
        return file.size


def remote(endpoint, url, **options):
    return RemoteFile(url, **KEYS, endpoint_url=endpoint, **options)


def test_an_object_is_read_in_ranges_and_as_a_stream(bucket, endpoint):
    bucket("x.csv", CONTENT)
    with remote(endpoint, "s3://box/x.csv").open() as file:
        assert file.size == len(CONTENT)
        parts = [
            file.read(offset, min(100_000, file.size - offset))
            for offset in range(0, file.size, 100_000)
        ]
        assert b"".join(parts) == CONTENT
        assert b"".join(file.stream()) == CONTENT
        assert file.read(1_000_000, 3) == CONTENT[1_000_000:1_000_003]


def test_an_object_that_changes(bucket, endpoint):
    bucket("x.csv", CONTENT)
    # The listing of a pattern says how things were; it does not hide how they are.
    found = remote(endpoint, "s3://box/*.csv").expand()
    assert [file.url for file in found] == ["s3://box/x.csv"]
    with found[0].open() as file:
        assert file.size == len(CONTENT)
        bucket("x.csv", CONTENT[::-1])
        with pytest.raises(csvfeed.SourceChangedError, match=r"s3://box/x\.csv"):
            file.read(1_000_000, 3)
        with found[0].open() as again:
            assert again.identity != file.identity


def test_what_is_not_there(bucket, endpoint):
    bucket("x.csv", CONTENT)
    with pytest.raises(FileNotFoundError, match=r"opening s3://box/y\.csv: there is no such file"):
        size_of(remote(endpoint, "s3://box/y.csv"))
    with pytest.raises(FileNotFoundError):
        size_of(remote(endpoint, "s3://no-such-box/y.csv"))
    with pytest.raises(FileNotFoundError, match="no file matches"):
        remote(endpoint, "s3://box/*.tsv").expand()


def test_nobody_there_says_so_without_secrets(bucket):
    bucket("x.csv", b"1,2\n")
    options = {"retries": {"max_attempts": 0}, "connect_timeout": 1}
    with pytest.raises(OSError, match="opening s3://box/x") as caught:
        size_of(remote("http://127.0.0.1:9", "s3://box/x.csv", config_kwargs=options))
    assert "tried 5 times" in str(caught.value)
    assert "a-secret" not in str(caught.value)


def test_no_credentials_is_not_tried_again(bucket, endpoint, monkeypatch):
    bucket("x.csv", b"1,2\n")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    with pytest.raises(OSError, match="redentials") as caught:
        size_of(RemoteFile("s3://box/x.csv", endpoint_url=endpoint, skip_instance_cache=True))
    assert "tried" not in str(caught.value)
