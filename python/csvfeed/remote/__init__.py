"""CSV files that are elsewhere: on web servers, in object stores, wherever fsspec reaches."""

from csvfeed.remote.file import RemoteFile, is_url

__all__ = ["RemoteFile", "is_url"]
