"""Data that is real: PostgreSQL behind RDS, Valkey behind ElastiCache, and what ``--keep`` keeps.

``account``      which user of this machine owns a database, and directories that user can reach
``postgres``     one PostgreSQL server: binaries, cluster, start, stop, SQL as its owner
``rds``          the RDS actions that start, change and delete those servers
``valkey``       one Valkey server
``elasticache``  the ElastiCache actions that start and delete those servers
``tls``          TLS in front of a server that speaks none
``policies``     what bucket policies say to whom
``forms``        uploads by a browser's form, as their policy says
``buckets``      S3 objects kept from one run to the next
"""
