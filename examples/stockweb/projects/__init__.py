"""Projects and their bills of material: what they need, whether it is there, and building them."""
