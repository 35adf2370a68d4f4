"""The API, ``/api/v1/``: JSON for the front end and for programs, described by ``schema/openapi.yaml``."""
