"""The one seam to moto.

moto's response classes dispatch an action to a method by its snake-case name and serialise what the method returns
by botocore's output shape. We set our own methods on those classes. Nothing else of moto is patched from outside
this folder except the two functions that :mod:`seatrial.emulator.loadbalancing` and ``data`` name in their docstrings.
moto is pinned to one minor version, and ``tests/functional/emulator/test_moto_seam.py`` holds every name used here
against it.
"""
