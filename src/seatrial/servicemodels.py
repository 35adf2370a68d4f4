"""Reading botocore's service models four times as fast.

A client of boto3 begins with its service's model, up to 1.4 MB of JSON, which botocore reads into ordered
dictionaries by the standard library. A fifth of a rehearsal's time until the infrastructure stood was spent there.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable


def read_fast() -> None:
    """Let every loader of botocore in this process, moto's too, read JSON by pydantic's parser from now on.

    Replaced is ``botocore.loaders.Loader.FILE_LOADER_CLASS``, which botocore asks for when a loader is made. Plain
    dictionaries keep the order of the file as the ordered ones did.
    """
    from botocore import loaders

    class FastFiles(loaders.JSONFileLoader):  # type: ignore[misc]  # botocore has no types
        def _load_file(self, full_path: str, open_method: Callable[[str, str], IO[bytes]]) -> dict[str, Any] | None:
            from pydantic_core import from_json

            try:
                with open_method(full_path, "rb") as file:
                    return cast("dict[str, Any]", from_json(file.read()))
            except (FileNotFoundError, IsADirectoryError):
                return None  # the loader tries the next name

    loaders.Loader.FILE_LOADER_CLASS = FastFiles
