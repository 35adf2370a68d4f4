"""Realistic data to begin with: what a well-kept hobby workshop has.

``catalogue`` what parts there are (pure), ``plant`` writes it.
"""
