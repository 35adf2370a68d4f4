"""How many of each part are in which box, and how that came about."""
