import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest
from conftest import wait_until
from web_server import serve

import csvfeed
from csvfeed.remote import RemoteFile, handle, retries

fsspec = pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

# Of no length that anything else has.
CONTENT = random.Random(0).randbytes(1_234_567)


@pytest.fixture
def web():
    with serve() as web:
        web.files["/x"] = CONTENT
        yield web


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Wait shortly before trying again, and have ranges that even a small file has many of."""
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(retries, "GROWTH", 1.0)
    monkeypatch.setattr(handle, "RANGE", 1 << 17)


def size_of(remote):
    with remote.open() as file:
        return file.size


def opened(web, path="/x", **options):
    file = RemoteFile(web.url + path, **options).open()
    assert file.identity or file.size  # It is open now, or says why not.
    return file


def first_time(trouble):
    """Have trouble with the first request for each range."""
    seen = set()

    def trouble_once(request):
        range_ = request.headers.get("Range")
        if range_ in seen:
            return False
        seen.add(range_)
        trouble(request)
        return True

    return trouble_once


def read_all(file, length=10_000, threads=4):
    """Read as the parsers do: several threads, each the next piece that nobody has taken.

    A thread that lags behind holds the others up, so that they are never more pieces ahead of it
    than there are threads.
    """
    parts = {}
    offsets = list(range(0, file.size, length))
    taken = iter(offsets)
    moved = threading.Condition()
    errors = []

    def is_near(offset):
        far_behind = offsets[: max(offset // length - threads + 1, 0)]
        return errors or all(other in parts for other in far_behind)

    def work():
        try:
            while True:
                with moved:
                    offset = next(taken, None)
                    if offset is None:
                        return
                    assert moved.wait_for(partial(is_near, offset), timeout=60)
                part = file.read(offset, min(length, file.size - offset))
                with moved:
                    parts[offset] = part
                    moved.notify_all()
        except Exception as error:
            with moved:
                errors.append(error)
                moved.notify_all()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if errors:
        raise errors[0]
    return b"".join(parts[offset] for offset in offsets)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("length", [999, 65_536, 1 << 17, 300_000])
def test_several_threads_read_each_byte_once(web, threads, length):
    with opened(web) as file:
        assert file.size == len(CONTENT)
        assert read_all(file, length, threads) == CONTENT
        # Each range was fetched, besides the head; and no other, unless a thread is far ahead.
        ranges = {range_ for _, range_ in web.requests}
        assert len(ranges) >= 1 + -(-len(CONTENT) // (1 << 17))
        if length * threads < 4 << 17:
            assert len(ranges) == 1 + -(-len(CONTENT) // (1 << 17))
            assert len(web.requests) <= len(ranges) + 2
            assert not file._ranges
        assert not file._jumps


def test_ranges_are_fetched_beside_each_other(web):
    web.trouble = lambda request: request.give(slow=0.3) or True
    with opened(web) as file:
        assert read_all(file, threads=1) == CONTENT
    assert 4 <= web.busiest <= handle.IN_FLIGHT


def test_a_jump_fetches_what_is_asked_for_and_no_more(web):
    with opened(web) as file:
        end = len(CONTENT)
        assert file.read(end - 1000, 1000) == CONTENT[-1000:]
        assert file.read(900_000, 7) == CONTENT[900_000:900_007]
        assert [range_ for _, range_ in web.requests[1:]] == [
            f"bytes={end - 1000}-{end - 1}",
            "bytes=900000-900006",
        ]
        # What goes on from there is fetched ahead.
        assert file.read(900_007, 200_000) == CONTENT[900_007:1_100_007]
        assert f"bytes={7 << 17}-{(8 << 17) - 1}" in [range_ for _, range_ in web.requests]


def test_random_reads_are_right_and_leave_nothing_behind(web):
    draw = random.Random(1)
    with opened(web) as file:
        for _ in range(300):
            offset = draw.randrange(len(CONTENT))
            length = draw.choice([0, 1, 1000, 200_000])
            length = min(length, len(CONTENT) - offset)
            assert file.read(offset, length) == CONTENT[offset : offset + length]
            assert len(file._ranges) <= handle.AHEAD + handle.IN_FLIGHT
        assert not file._jumps


def test_the_head_takes_one_request(web):
    with opened(web) as file:
        assert file.read(0, 65_536) == CONTENT[:65_536]
        assert file.read(17, 20) == CONTENT[17:37]
    assert len(web.requests) == 1


@pytest.mark.parametrize("content", [b"", b"1", b"x" * 65_536, b"x" * 65_537])
def test_files_of_all_lengths(web, content):
    web.files["/small"] = content
    with opened(web, "/small") as file:
        assert file.size == len(content)
        assert file.read(0, len(content)) == content
        assert b"".join(file.stream()) == content


def test_reading_past_the_end_is_refused(web):
    with opened(web) as file, pytest.raises(ValueError, match="of a file of 1234567"):
        file.read(len(CONTENT) - 1, 2)


def test_a_server_without_ranges_is_a_stream(web):
    web.ranges = False
    with opened(web) as file:
        assert file.size is None
        assert b"".join(file.stream()) == CONTENT
        with pytest.raises(OSError, match="knows no ranges"):
            file.read(0, 1)


def test_a_stream_that_breaks_off_goes_on_where_it_was(web):
    web.ranges = False
    web.trouble = lambda request: (
        request.number in (1, 2) and (request.give(cut=400_000 * request.number) or True)
    )
    with opened(web) as file:
        assert b"".join(file.stream()) == CONTENT
    assert len(web.requests) == 4


def test_a_stream_does_not_go_on_with_another_file(web):
    web.ranges = False

    def trouble(request):
        if request.number == 1:
            request.give(cut=800_000)
            web.files["/x"] = CONTENT[::-1]
            return True
        return False

    web.trouble = trouble
    with opened(web) as file, pytest.raises(csvfeed.SourceChangedError):
        list(file.stream())


def test_ranges_that_are_cut_are_fetched_again(web):
    web.trouble = first_time(lambda request: request.give(cut=1000))
    with opened(web) as file:
        assert read_all(file) == CONTENT


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(web, status):
    web.trouble = first_time(lambda request: request.say(status))
    with opened(web) as file:
        assert read_all(file, threads=1) == CONTENT


def test_retry_after_is_obeyed(web, monkeypatch):
    waits = []
    monkeypatch.setattr(
        retries.Retries,
        "_wait_after",
        lambda self, error, tries, plain=retries.Retries._wait_after: (
            waits.append(plain(self, error, tries)) or 0.0
        ),
    )
    web.trouble = lambda request: (
        request.number == 0 and (request.say(429, {"Retry-After": "7"}) or True)
    )
    opened(web).close()
    assert waits == [7.0]


def test_what_never_passes_says_what_where_and_how_often(web):
    web.trouble = lambda request: request.number > 0 and (request.say(503) or True)
    with opened(web) as file, pytest.raises(ConnectionError) as caught:
        file.read(1_000_000, 10)
    assert str(caught.value).startswith(
        f"reading {web.url}/x, bytes 1000000 to 1000010: "
        "the server says 503 Service Unavailable (tried 5 times in "
    )
    assert len(web.requests) == 1 + retries.TRIES


@pytest.mark.parametrize(("status", "kind"), [(404, FileNotFoundError), (403, PermissionError)])
def test_what_is_final_is_not_tried_again(web, status, kind):
    web.trouble = lambda request: request.say(status) or True
    with pytest.raises(kind) as caught:
        opened(web)
    assert f"opening {web.url}/x: the server says {status} " in str(caught.value)
    assert "tried" not in str(caught.value)
    assert len(web.requests) == 1


def test_a_failure_is_not_remembered(web):
    web.trouble = lambda request: request.number == 1 and (request.say(403) or True)
    with opened(web) as file:
        with pytest.raises(PermissionError):
            file.read(1_000_000, 10)
        assert file.read(1_000_000, 10) == CONTENT[1_000_000:1_000_010]


def test_nobody_there(web):
    port = int(web.url.rpartition(":")[2])
    with serve() as other:
        gone = other.url
    assert str(port) not in gone
    with pytest.raises(ConnectionError, match="tried 5 times"):
        size_of(RemoteFile(f"{gone}/x"))


@pytest.mark.parametrize("tags", [True, False])
def test_a_file_that_changes_while_it_is_read(web, tags):
    web.tags = tags
    with opened(web) as file:
        web.files["/x"] = b"other" + CONTENT
        with pytest.raises(csvfeed.SourceChangedError, match=f"{web.url}/x: it changed while"):
            file.read(500_000, 10)


def test_a_file_that_becomes_shorter_while_it_is_read(web):
    web.tags = False
    with opened(web) as file:
        web.files["/x"] = CONTENT[:100]
        with pytest.raises(csvfeed.SourceChangedError):
            file.read(500_000, 10)


def test_identity_tells_versions_apart(web):
    identities = []
    for content in (CONTENT, CONTENT, CONTENT[::-1]):
        web.files["/x"] = content
        with opened(web) as file:
            identities.append(file.identity)
    assert identities[0] == identities[1] != identities[2]


def test_close_ends_those_who_wait(web):
    web.trouble = lambda request: request.number > 0 and (request.hang() or True)
    file = opened(web)
    caught = []

    def wait(offset):
        with pytest.raises(OSError, match="the file was closed") as error:
            file.read(offset, 10)
        caught.append(error)

    threads = [threading.Thread(target=wait, args=(offset,)) for offset in (1_000_000, 0x20000)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(web.requests) >= 3)
    began = time.monotonic()
    file.close()
    for thread in threads:
        thread.join(10)
    assert len(caught) == 2
    assert time.monotonic() - began < 5
    # What hangs does not keep its threads either, and nothing is tried again.
    wait_until(lambda: file._threads == 0)
    with pytest.raises(OSError, match="closed"):
        file.read(1_000_000, 10)
    file.close()


def test_a_stream_ends_when_it_is_closed(web):
    web.ranges = False
    web.trouble = lambda request: request.number > 0 and (request.hang() or True)
    file = opened(web)
    threading.Timer(0.2, file.close).start()
    with pytest.raises(OSError, match="closed"):
        list(file.stream())


def test_silence_is_a_timeout(web, monkeypatch):
    from csvfeed.remote import http

    monkeypatch.setattr(http, "SILENCE", 0.1)
    web.trouble = lambda request: request.number in (1, 2) and (request.hang() or True)
    with opened(web) as file:
        assert file.read(1_000_000, 10) == CONTENT[1_000_000:1_000_010]
    web.trouble = lambda request: request.hang() or True
    with pytest.raises(TimeoutError, match=r"no answer in time \(tried 5 times"):
        opened(web)


def test_ctrl_c_ends_a_request_that_hangs(web):
    web.trouble = lambda request: request.hang() or True
    code = f"from csvfeed.remote import RemoteFile; RemoteFile('{web.url}/x').open().size"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, env=dict(os.environ)
    )
    wait_until(lambda: web.requests)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in stderr


def test_secrets_are_not_in_errors(web):
    secret_url = web.url.replace("//", "//me:pass%2Fword@") + "/x?token=abcdef&plain"
    for status, error in ((403, PermissionError), (503, ConnectionError)):
        web.trouble = lambda request, status=status: request.say(status) or True
        with pytest.raises(error) as caught:
            size_of(RemoteFile(secret_url, headers={"X-Token": "s3cr3t"}))
        for secret in ("pass", "abcdef", "s3cr3t", "plain"):
            assert secret not in str(caught.value)
        assert "***@127.0.0.1" in str(caught.value)
        assert caught.value.__suppress_context__
    remote = RemoteFile(secret_url, headers={"X-Token": "s3cr3t"})
    for secret in ("pass", "abcdef", "s3cr3t", "plain"):
        assert secret not in repr(remote) + str(remote) + remote.name


def test_a_url_pickles_with_its_options(web):
    remote = RemoteFile(f"{web.url}/x", headers={"X-Test": "1"})
    again = pickle.loads(pickle.dumps(remote))
    assert again == remote
    assert hash(again) == hash(remote)
    assert again != RemoteFile(f"{web.url}/x")
    with again.open() as file:
        assert file.read(5, 10) == CONTENT[5:15]


def test_options_reach_the_server(web):
    seen = []
    web.trouble = lambda request: seen.append(request.headers.get("X-Test"))
    opened(web, headers={"X-Test": "1"}).close()
    assert seen == ["1"]


def test_patterns_on_a_web_server(web):
    web.files["/data/"] = "".join(
        f'<a href="{name}">{name}</a>' for name in ("b.csv", "a.csv", "c.txt")
    )
    found = RemoteFile(f"{web.url}/data/*.csv").expand()
    assert [file.url for file in found] == [f"{web.url}/data/a.csv", f"{web.url}/data/b.csv"]
    # A question mark begins a query there.
    one = RemoteFile(f"{web.url}/data/a.csv?version=[1]")
    assert one.expand() == [one]
    with pytest.raises(FileNotFoundError, match="no file matches"):
        RemoteFile(f"{web.url}/data/*.tsv").expand()


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.pipe("/box/x.csv", CONTENT)
    yield system
    system.rm("/box", recursive=True)


def test_a_file_system_of_another_kind(memory):
    with RemoteFile("memory://box/x.csv").open() as file:
        assert file.size == len(CONTENT)
        assert read_all(file) == CONTENT
        assert b"".join(file.stream()) == CONTENT
        memory.pipe("/box/x.csv", CONTENT[::-1])
        with pytest.raises(csvfeed.SourceChangedError):
            file.read(500_000, 10)
    with pytest.raises(FileNotFoundError, match=r"opening memory://box/y\.csv"):
        size_of(RemoteFile("memory://box/y.csv"))
    with pytest.raises(OSError, match="it is a directory"):
        size_of(RemoteFile("memory://box"))


def test_patterns_in_a_file_system_of_another_kind(memory):
    memory.pipe("/box/a.csv", b"")
    found = RemoteFile("memory://box/*.csv").expand()
    assert [file.url for file in found] == ["memory:///box/a.csv", "memory:///box/x.csv"]


def test_a_cache_of_fsspec_is_filled_before_other_threads_read_it(web, tmp_path):
    web.trouble = lambda request: request.give(slow=0.5) or True
    file = RemoteFile(f"simplecache::{web.url}/x", simplecache={"cache_storage": str(tmp_path)})
    with file.open() as one, file.open() as other:
        first = threading.Thread(target=one.read, args=(0, 10))
        first.start()
        wait_until(lambda: any(path.stat().st_size for path in tmp_path.iterdir()))
        assert read_all(other) == CONTENT
        first.join()


@pytest.mark.parametrize("url", ["nowhere://x", "x.csv", "/x.csv", "c:\\x.csv", ""])
def test_what_is_no_url(url):
    with pytest.raises(ValueError, match=r"nowhere|is not a URL"):
        RemoteFile(url).open()


def test_without_fsspec_an_error_says_what_to_install():
    code = (
        "import sys; sys.modules['fsspec'] = None\n"
        "from csvfeed.remote import RemoteFile\n"
        "try: RemoteFile('https://example.org/x').open()\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'csvfeed[remote]'" in done.stdout


def test_importing_csvfeed_does_not_import_fsspec():
    code = "import sys, csvfeed, csvfeed.remote; print('fsspec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_for_another_scheme_fsspec_says_what_to_install():
    code = (
        "import sys; sys.modules['gcsfs'] = None\n"
        "from csvfeed.remote import RemoteFile\n"
        "try: RemoteFile('gs://bucket/x').open()\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "gcsfs" in done.stdout
    assert "csvfeed[remote]" not in done.stdout
