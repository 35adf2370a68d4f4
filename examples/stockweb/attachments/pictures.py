"""Photos drawn anew: upright, no larger than a screen, without what a camera writes beside them, such as the place."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from attachments.kinds import Kind, KindError

#: Of a picture as it is sent: so many fit into the memory of a worker, four bytes each. A small file may claim more.
MOST_PIXELS = 30_000_000
#: Longest side of what is kept, and of its thumbnail.
LARGE, SMALL = 2560, 320
THUMBNAIL_TYPE = "image/webp"


@dataclass(frozen=True)
class Drawn:
    """A photo as it is kept, and its thumbnail."""

    photo: bytes
    thumbnail: bytes
    width: int
    height: int


def drawn(content: bytes, kind: Kind) -> Drawn:
    """Draw a photo anew. Raises :class:`KindError` for what is none, or too large to be looked at."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # below, our own limit is lower
            picture = Image.open(io.BytesIO(content), formats=[kind.picture])
        if picture.width * picture.height > MOST_PIXELS:
            raise KindError(f"has {picture.width} × {picture.height} points, and {MOST_PIXELS} are the most")
        picture.thumbnail((LARGE, LARGE), reducing_gap=2.0)
        upright = ImageOps.exif_transpose(picture)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, KindError):
            raise
        raise KindError(f"is no picture that can be read ({error})") from None
    clear = _clear(upright, transparent=kind.picture != "JPEG")
    small = clear.copy()
    small.thumbnail((SMALL, SMALL))
    return Drawn(_saved(clear, kind.picture), _saved(small, "WEBP"), clear.width, clear.height)


def _clear(picture: Image.Image, *, transparent: bool) -> Image.Image:
    """Return the points alone: no profile, no comment, no place."""
    mode = "RGBA" if transparent and picture.has_transparency_data else "RGB"
    points = picture.convert(mode)
    clear = Image.new(mode, points.size)
    clear.paste(points)
    return clear


def _saved(picture: Image.Image, name: str) -> bytes:
    written = io.BytesIO()
    picture.save(written, name, **({"optimize": True} if name == "PNG" else {"quality": 85}))
    return written.getvalue()
