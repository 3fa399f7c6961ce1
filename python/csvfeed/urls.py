"""URLs, as `fsspec` writes them, and the local paths that some of them name."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from csvfeed.system import path_of_url

# fsspec allows a chain of names before the URL: "simplecache::s3://bucket/key".
URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*::)*[A-Za-z][A-Za-z0-9+.\-]+://")


def is_url(text: str) -> bool:
    """Whether a text is a URL, such as ``s3://bucket/key``, and not a path."""
    return URL.match(text) is not None


def local_path(url: str) -> str | None:
    """Return the path that a ``file://`` or ``local://`` URL names, or None for any other URL.

    Raises
    ------
    ValueError
        If a ``file://`` URL names another host, and this is not Windows.
    """
    scheme, separator, rest = url.partition("://")
    if scheme.lower() == "local" and separator:
        return rest
    if scheme.lower() != "file" or not separator:
        return None
    parts = urlsplit(url)
    path = path_of_url(parts.netloc, unquote(parts.path))
    if path is None:
        raise ValueError(f"{url!r} names the host {parts.netloc!r}: a local file is file:///path")
    return path
