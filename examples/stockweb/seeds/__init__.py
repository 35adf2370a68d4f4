"""Realistic data to begin with: what a well-kept hobby workshop has, what shops want for more of it, what is built.

``catalogue``, ``assortments`` and ``boards`` say what there is (pure); ``plant`` writes it.
"""
