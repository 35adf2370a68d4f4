"""``python -m seatrial``: the command line."""

from seatrial.cli import main

main()
