"""Remote CSV files: on web servers, in object stores, wherever fsspec reaches."""

from csvfeed.remote.file import RemoteFile

__all__ = ["RemoteFile"]
