"""What parts there are: types, parts, their attributes, and finding them."""
