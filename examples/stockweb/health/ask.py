"""``python -m health.ask URL``: end well when the URL answers 200. An image for Python has no curl."""

import sys
import urllib.request

with urllib.request.urlopen(sys.argv[1], timeout=4) as answer:  # noqa: S310 - compose.yaml says which
    sys.exit(answer.status != 200)
