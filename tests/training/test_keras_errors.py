"""What is wrong with a file ends ``fit`` with its name and place, on each backend."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from bad_files import BAD_FILES, FILES_IN_ANOTHER_ENCODING, FILES_WITHOUT_ROWS, GOOD_ROWS
from conftest import SMALL
from models import TABLE, csv_of, dataset, model, recording_model

import csvfeed
from csvfeed import CsvDataset, generate_arrays_from_file

# Keras says so of every generator.
pytestmark = pytest.mark.filterwarnings("ignore:.shuffle=True. was passed .* a generator")

# What Keras raises when a generator does.
ERRORS = (csvfeed.CsvError,)
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    ERRORS = (csvfeed.CsvError, tf.errors.OpError)


@pytest.fixture
def path(write):
    return write(csv_of(TABLE))


FEEDS = {
    "to_keras": lambda path: {"x": CsvDataset(path, batch_size=2).to_keras()},
    "the drop-in": lambda path: {"x": generate_arrays_from_file(path, 2), "steps_per_epoch": 50},
    "validation data": lambda path: {
        "x": np.zeros((4, 2)),
        "y": np.zeros(4),
        "validation_data": CsvDataset(path, batch_size=2).to_keras(),
    },
}


def fit(feed):
    # A model that ran before tells its own mistakes from those of the file.
    model(inputs=2).fit(**feed, epochs=2, verbose=0)


def assert_is_of(error, bad, path):
    """Compare an error that was raised with what it must say of a bad file."""
    assert type(error) is getattr(csvfeed, bad.error)
    assert error.path == path
    for name in ("line", "byte_offset", "column", "column_name", "text"):
        assert getattr(error, name) == getattr(bad, name), name
    for part in (path, f"line {bad.line}", *bad.says):
        assert part in str(error)


@pytest.mark.parametrize("bad", BAD_FILES, ids=lambda bad: bad.name)
def test_a_wrong_row_ends_fit_as_it_ends_iteration(write, bad):
    path = write(bad.content)
    with pytest.raises(csvfeed.CsvError) as caught:
        fit(FEEDS["to_keras"](path))
    assert_is_of(caught.value, bad, path)


@pytest.mark.parametrize("bad", BAD_FILES[:1], ids=lambda bad: bad.name)
def test_a_wrong_row_ends_fit_from_the_drop_in_with_its_name_and_place(write, bad):
    path = write(bad.content)
    with pytest.raises(ERRORS) as caught:
        fit(FEEDS["the drop-in"](path))
    message = f"{type(caught.value).__name__}: {caught.value}"
    for part in (bad.error, path, f"line {bad.line}", f"byte {bad.byte_offset}", *bad.says):
        assert part in message


def test_a_wrong_row_ends_validation_evaluation_and_prediction_likewise(write):
    bad = BAD_FILES[0]
    path = write(bad.content)
    data = CsvDataset(path, batch_size=2).to_keras()
    for use in (
        lambda: fit(FEEDS["validation data"](path)),
        lambda: model(inputs=2).evaluate(data, verbose=0),
        lambda: model(inputs=2).predict(data, verbose=0),
        lambda: model(inputs=2).fit(data, verbose=0),
        lambda: model(inputs=2).fit(data, verbose=0),
    ):
        with pytest.raises(csvfeed.CsvError) as caught:
            use()
        assert_is_of(caught.value, bad, path)


def test_an_error_of_a_source_ends_fit_as_it_is(write):
    class Failing:
        def __init__(self, path):
            self.file = open(path, "rb")  # noqa: SIM115 - it is open as long as the source.
            self.reads = 0

        def read(self, size=-1):
            self.reads += 1
            if self.reads > 40:
                raise ConnectionResetError("the other end hung up")
            return self.file.read(size)

        def seek(self, *to):
            return self.file.seek(*to)

        def tell(self):
            return self.file.tell()

        def seekable(self):
            return True

    source = Failing(write("x,y\n" + "1,2\n" * 300_000))
    data = CsvDataset(source, batch_size=1000).to_keras()
    source.reads = 39
    with pytest.raises(ConnectionResetError, match="the other end hung up"):
        model(inputs=1).fit(data, verbose=0)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="it takes one step at a time")
def test_an_execution_of_several_steps_ends_likewise_and_completes_no_epoch(write):
    path = write(b"x,z,y\n" + b"1,2,3\n" * 1500 + b"1,two,3\n" + b"1,2,3\n" * 1500)
    data = CsvDataset(path, batch_size=10).to_keras()
    batches, epochs = [], []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: batches.append(batch),  # noqa: ARG005
        on_epoch_end=lambda epoch, logs: epochs.append(epoch),  # noqa: ARG005
    )
    built = model(inputs=2, steps_per_execution=8)
    with pytest.raises(csvfeed.NumberError) as caught:
        built.fit(data, epochs=2, callbacks=[callback], verbose=0)
    assert (caught.value.path, caught.value.line) == (path, 1502)
    # 64 batches are read at a time. An older Keras reads two batches ahead on JAX.
    assert len(batches) in (2 * 64 // 8 - 1, 2 * 64 // 8)
    if len(batches) == 2 * 64 // 8:
        assert int(built.optimizer.iterations) == 2 * 64
    assert epochs == []


def test_batches_before_a_wrong_row_are_trained_on(write):
    bad = BAD_FILES[0]
    built, recorder = recording_model(inputs=2)
    with pytest.raises(csvfeed.CsvError, match=bad.says[0]):
        built.fit(CsvDataset(write(bad.content), batch_size=2).to_keras(), verbose=0)
    seen = [row[0] for row in recorder.rows]
    assert seen == list(range(len(seen)))
    assert len(seen) <= GOOD_ROWS


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("case", FILES_WITHOUT_ROWS)
def test_a_file_without_rows_ends_fit(write, case, feed):
    content, says = FILES_WITHOUT_ROWS[case]
    path = write(content)
    with pytest.raises(csvfeed.CsvError, match=says) as caught:
        fit(FEEDS[feed](path))
    assert path in str(caught.value)


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("case", ["UTF-16LE with a mark", "UTF-16BE"])
def test_another_encoding_ends_fit(write, case, feed):
    content, encoding = FILES_IN_ANOTHER_ENCODING[case]
    path = write(content)
    with pytest.raises(csvfeed.EncodingError, match=encoding) as caught:
        fit(FEEDS[feed](path))
    assert path in str(caught.value)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_file_that_cannot_be_opened_ends_fit(tmp_path, feed):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        fit(FEEDS[feed](str(tmp_path / "none.csv")))
    with pytest.raises(FileNotFoundError, match="in the directory"):
        fit(FEEDS[feed](str(tmp_path)))


class ChangeAfterFirstBatch(keras.callbacks.Callback):
    def __init__(self, change):
        super().__init__()
        self.change = change

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 - the names are Keras's
        if batch == 0:
            self.change()


@pytest.mark.parametrize("feed", ["to_keras", "the drop-in"])
def test_a_file_truncated_while_fit_reads_it_ends_fit(write, feed):
    path = write(b"%09d,%09d\n" % (1, 1) * 200_000)
    os.utime(path, (10**9, 10**9))
    if feed == "to_keras":
        options = {"x": CsvDataset(path, batch_size=10, memory=SMALL).to_keras()}
    else:
        options = {"x": generate_arrays_from_file(path, 10_000), "steps_per_epoch": 10_000}
    truncate = ChangeAfterFirstBatch(lambda: os.truncate(path, 1000))
    with pytest.raises(csvfeed.CsvError if feed == "to_keras" else ERRORS) as caught:
        model(inputs=1).fit(**options, callbacks=[truncate], verbose=0)
    message = f"{type(caught.value).__name__}: {caught.value}"
    for part in ("SourceChangedError", path, "changed"):
        assert part in message


def test_a_file_that_changes_between_epochs_ends_fit(path):
    os.utime(path, (10**9, 10**9))
    rewrite = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: Path(path).write_text(csv_of(TABLE[:50]))  # noqa: ARG005
    )
    with pytest.raises(csvfeed.SourceChangedError) as caught:
        model().fit(dataset(path).to_keras(), epochs=3, callbacks=[rewrite], verbose=0)
    message = f"{type(caught.value).__name__}: {caught.value}"
    for part in ("SourceChangedError", path, "make a new dataset"):
        assert part in message


def test_categories_that_no_value_has_are_told_of_after_an_epoch(write):
    path = write("city,y\n" + "".join(f"{('nl', 'be')[n % 2]},{n}\n" for n in range(70)))
    data = CsvDataset(path, batch_size=8, categories={"city": ["NL", "BE"]}).to_keras()
    with pytest.warns(RuntimeWarning, match='no value of column "city" in .* is among its categ'):
        model(inputs=1).fit(data, verbose=0)


def test_wrong_rows_that_are_skipped_are_counted_and_told_of(write):
    rows = [b"%d,%d,%d\n" % (n, n % 3, n % 2) if n % 7 else b"x,1,1\n" for n in range(70)]
    path = write(b"a,b,y\n" + b"".join(rows))
    ds = CsvDataset(path, batch_size=8, on_error="skip")
    with pytest.warns(RuntimeWarning, match=r"10 rows of .* were left out: ds\.rejects"):
        feed = ds.to_keras()
    plain = CsvDataset(b"a,b,y\n" + b"".join(row for row in rows if b"x" not in row), batch_size=8)
    assert feed.num_batches == len(plain) == 8
    losses = [model(inputs=2).fit(x, verbose=0).history["loss"] for x in (feed, plain.to_keras())]
    assert losses[0] == losses[1]
    too_many = CsvDataset(path, on_error="skip", max_rejects=9)
    with pytest.raises(csvfeed.CsvError, match="wrong row number 10"):
        too_many.to_keras()
