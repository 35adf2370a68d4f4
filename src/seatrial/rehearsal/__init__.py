"""A release on the emulator under load, with a fault injected, and the report of it.

``scenario``  the rehearsal itself, from an empty emulator to the verdict
``manner``    as which environment and by which strategy, and how much time is compressed
``revisions`` which version is the old one
``load``      the load from outside: starts the probe, reads what it saw
``probe``     the load generator, a process of its own: open loop, bounded, stops by itself
``fault``     a copy of the project that is broken on purpose
``timeline``  what happened, put together from samples, tasks and release events. Pure
``charts``    its pictures, ``shifts`` that of traffic that moves. Pure
``verdict``   the sentence at the end. Pure
``report``    one self-contained HTML file, and the same as JSON
"""
