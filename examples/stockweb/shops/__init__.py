"""Where parts can be bought and at what price; what to buy where. Knows nothing of projects."""
