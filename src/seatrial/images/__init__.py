"""From a git checkout to an image digest in ECR. A release is a digest, never a tag.

``built``      building and pushing, whichever way the image is made
``source``     which files belong to the image: a git revision, or the working tree as git sees it
``ignore``     which of them ``.dockerignore`` keeps out
``dockerfile`` what a Dockerfile says about running its image
``bundle``     an OCI image of a Python project made without any container engine, for the emulator's process runtime
``docker``     an image built by a Docker engine from the project's Dockerfile
``layout``     an OCI image as values
``registry``   pushing to ECR (or the emulator's registry behind it) over the OCI distribution protocol
"""

from seatrial.images.built import BuiltImage, build

__all__ = ["BuiltImage", "build"]
