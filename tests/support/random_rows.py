"""Datasets of tables at random, with some of their rows, for tests of what reads datasets."""

from random_tables import Reading, Table, Use

import csvfeed

CHOICES = ["all", "where", "run", "split", "fold", "shard", "undersample", "oversample"]
"""Ways to choose rows in the order of the file."""

WAYS = [*CHOICES, "windows", "cache"]


def chosen(way, ds, name, seed, directory):
    """Return some rows of a dataset, by a column, by chance, or kept in a directory."""
    match way:
        case "where":
            return ds.where({name: csvfeed.PRESENT})
        case "run":
            return ds.skip(1).take(10)
        case "split":
            return ds.split(0.4, seed=seed, by=name)[0]
        case "fold":
            return ds.folds(2, seed=seed, stratify=name)[0][1]
        case "shard":
            return ds.shard(0, 2)
        case "undersample" | "oversample":
            return ds.balance(name, method=way, seed=seed)
        case "windows":
            return ds.windows(2)
        case "cache":
            return ds.cache(directory / "cache")
        case _:
            return ds


def dataset(rnd, directory, ways, remainder="keep"):
    """Return some rows of a table at random, chosen in one of some ways; None if there are none."""
    table = Table.at_random(rnd)
    if not table.rows or not table.parts:
        return None
    use = Use.at_random(rnd, table)
    use.on_error, use.fill = "skip", rnd.choice([None, 7.5])
    reading = Reading(table, use, lambda *_: 1)
    if not reading.kept or not reading.tags:
        return None
    options = {"batch_size": rnd.choice([1, 4, 50]), "remainder": remainder}
    ds = csvfeed.CsvDataset(table.save(directory), **{**use.options(table), **options})
    name, seed = rnd.choice(table.columns).name, rnd.randint(0, 9)
    made = chosen(rnd.choice(ways), ds, name, seed, directory)
    return made if made.num_rows else None
