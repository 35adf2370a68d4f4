"""Reading botocore's service models four times as fast, and each once.

A client of boto3 begins with its service's model, up to 1.4 MB of JSON, which botocore reads into ordered
dictionaries by the standard library, again in every session. A fifth of the time until a rehearsal's infrastructure
stood was spent there.
"""

from __future__ import annotations

from functools import cache
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable


def read_fast() -> None:
    """Let all loaders of botocore that are made in this process from now on read by pydantic's parser.

    Replaced is ``botocore.loaders.Loader.FILE_LOADER_CLASS``, which a loader asks for when it is made. Sessions share
    what was read: botocore changes nothing in it but for its own additions to a model, which are the same every time.
    Plain dictionaries keep the order of the file as the ordered ones did.
    """
    from botocore import loaders

    class FastFiles(loaders.JSONFileLoader):  # type: ignore[misc]  # botocore has no types
        def _load_file(self, full_path: str, open_method: Callable[[str, str], IO[bytes]]) -> dict[str, Any] | None:
            try:
                return _read(full_path, open_method)
            except (FileNotFoundError, IsADirectoryError):
                return None  # the loader tries the next name

    loaders.Loader.FILE_LOADER_CLASS = FastFiles


def parsed(path: str, open_method: Callable[[str, str], IO[bytes]]) -> dict[str, Any]:
    """Return the document in a file, a copy of one's own. ``open_method`` unpacks it, as botocore's loaders say."""
    from pydantic_core import from_json

    with open_method(path, "rb") as file:
        return cast("dict[str, Any]", from_json(file.read()))


_read = cache(parsed)
