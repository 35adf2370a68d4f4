"""The site of a release: which steps it has, what they do, what is live."""
