"""The pages that people use: HTML from the server, one style sheet, scripts that most do without."""
