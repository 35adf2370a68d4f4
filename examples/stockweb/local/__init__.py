"""Running the application on this machine, with a PostgreSQL and a Valkey of its own. Not part of the image."""
