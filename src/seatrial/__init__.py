"""Take a Django project to AWS ECS, and rehearse every release on your own machine first."""

__version__ = "0.1.0"
