"""What :mod:`stock` asks PostgreSQL in SQL, for MongoDB: a module for each that has such questions, see stockweb/store.py."""
