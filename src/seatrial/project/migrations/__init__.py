"""Migrations that could break the version still serving: found before they run, named, with the way out.

``collector``    a script that the project's own interpreter runs, here or in a task; seatrial never imports it
``ask``          running it and reading its answer
``operations``   what it told, as values
``classify``     an operation in, the rules it falls under out; pure, as its parts ``fields``, ``columntypes``, ``sql``
``rules``        the rules: class, reason, way out; the documentation's table
``verdict``      what refuses a release, what is acknowledged, what is worth knowing; pure
"""
