"""MongoDB as a database of Django that keeps its word: the engine ``documents``, over ``django_mongodb_backend``.

That backend has Django's queries speak to MongoDB. What an application still has to do without there, this engine gives
it, so that models, transactions and whole applications (Django's own, allauth) are the same on both stores:

- ``transaction.atomic`` is a transaction (the server has to be a replica set), and ``select_for_update`` a lock;
- ids are numbers, counted in the collection ``ids``;
- check constraints are validators of the collections, and unique constraints also mind nulls and negated conditions;
- defaults of the database are filled in when a row is written;
- rows of a model that says ``append_only`` are neither changed nor deleted.

Two transactions that cross do not wait for each other: MongoDB refuses one with a conflict, and
:func:`stockweb.store.retried` does it again.
"""
