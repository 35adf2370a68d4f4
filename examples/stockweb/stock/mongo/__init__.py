"""What :mod:`stock` asks PostgreSQL in SQL, for MongoDB, in modules of the same names; see :mod:`stockweb.store`."""
