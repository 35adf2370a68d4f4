"""The pages that people use: HTML from the server, one style sheet, no script."""
