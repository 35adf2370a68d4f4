"""``seatrial.toml``: read, merged with an environment's overlay, validated, frozen.

``models``     what may be written: the typed settings; ``strategies``, ``smoke``, ``migrations`` and ``notify`` are
               tables of their own, ``fields`` what they all are made of
``positions``  where in the file each key stands
``overlay``    one environment merged over the top-level tables. Pure
``load``       the file in, settings out; every error with file, line and key
``schema``     the JSON Schema for editors and the reference page, both from the models
"""
