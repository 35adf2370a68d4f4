"""Parts and their stock as CSV files: export, and import with a dry run. Whatever was exported can be imported again."""
