"""Passwords, tokens and keys, which errors must not show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
_SHORTEST = 4
_QUERY = re.compile(r"[?#].*", re.DOTALL)
_USER = re.compile(r"(?<=://)[^/?#]*@")


class Secrets:
    """The secrets of a URL and of the options that come with it.

    Parameters
    ----------
    url : str
        The URL.
    options : mapping
        Options of the file system. All strings in them count as secrets, except names of endpoints
        and regions.

    Attributes
    ----------
    name : str
        The URL without secrets.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self.name = _USER.sub(f"{HIDDEN}@", _QUERY.sub(_without_values, url))
        found = {part for part in _parts(url) if len(part) >= _SHORTEST}
        found.update(text for text in _strings(options) if len(text) >= _SHORTEST)
        self._url = url
        self._found = sorted(found, key=len, reverse=True)

    def hide(self, text: str) -> str:
        """Return a text with its secrets replaced."""
        text = text.replace(self._url, self.name)
        for secret in self._found:
            text = text.replace(secret, HIDDEN)
        return text


def _without_values(query: re.Match[str]) -> str:
    fields = query[0][1:].split("&")
    shown = (f"{name}={HIDDEN}" if is_pair else HIDDEN for name, is_pair, _ in map(_pair, fields))
    return query[0][0] + "&".join(shown)


def _pair(field: str) -> tuple[str, str, str]:
    return field.partition("=")


def _parts(url: str) -> set[str]:
    """Return the secrets in a URL, as written and decoded."""
    found = set()
    user = _USER.search(url)
    if user is not None:
        password = user[0][:-1]
        found.update({password, password.partition(":")[2]})
    try:
        query = urlsplit(url).query
    except ValueError:
        query = ""
    for name, is_pair, value in map(_pair, query.split("&")):
        found.add(value if is_pair else name)
    return found | {unquote(part) for part in found}


_PUBLIC = frozenset({"endpoint_url", "region", "region_name", "project", "protocol"})


def _strings(value: Any, name: str = "") -> list[str]:
    if name in _PUBLIC:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for key, one in value.items() for text in _strings(one, str(key))]
    if isinstance(value, (list, tuple)):
        return [text for one in value for text in _strings(one)]
    return []
