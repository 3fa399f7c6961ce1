"""CSV files that are elsewhere: on web servers, in object stores, wherever fsspec reaches."""

from csvfeed.remote.file import RemoteFile

__all__ = ["RemoteFile"]
