"""Parts and their stock as CSV files: export, and import with a dry run. What was exported can be imported again."""
