"""From a git checkout to an image digest in ECR. A release is a digest, never a tag.

``source``   which files belong to the image: a git revision, or the working tree as git sees it
``bundle``   an OCI image of a Python project made without any container engine, for the emulator's process runtime
``docker``   an image built by a Docker engine from the project's Dockerfile
``registry`` pushing to ECR (or the emulator's registry behind it) over the OCI distribution protocol
"""
