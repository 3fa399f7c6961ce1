"""For Ray: the rows of a dataset as a source of Ray Data."""

from csvfeed.train.ray import CsvDatasource, to_ray

__all__ = ["CsvDatasource", "to_ray"]
