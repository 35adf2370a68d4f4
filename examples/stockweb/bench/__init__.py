"""Measuring the application with many parts. Not a part of it, and not of its tests."""
