"""The app's configuration."""

from django.apps import AppConfig


class AttachmentsConfig(AppConfig):
    """Attachments."""

    name = "attachments"

    def ready(self) -> None:
        """Have the bucket forget what the database forgets."""
        from django.db.models.signals import post_delete  # noqa: PLC0415 - models can be read only now

        from attachments.desk import forget_objects  # noqa: PLC0415
        from attachments.models import Attachment  # noqa: PLC0415

        post_delete.connect(forget_objects, sender=Attachment, dispatch_uid="attachments")
