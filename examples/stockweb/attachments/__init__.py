"""Datasheets and photos of parts, kept in a private bucket that browsers send them to themselves."""
