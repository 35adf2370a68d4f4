"""Which boxes stand in a box: the tree is read whole, there are some hundreds of boxes at most."""

from stock.models import box_tree


def within(code: str) -> list[int]:
    """Return the ids of the box with a code and of those inside it; see :func:`stock.holdings.within`."""
    boxes = box_tree()
    return next((boxes.within(box.pk) for box in boxes.rows.values() if box.code == code), [])
