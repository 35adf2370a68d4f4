"""S3 objects kept from one run to the next (``--keep``).

A bucket's newest versions are written to the state directory every few seconds and at the end. They come back when a
bucket of that name is created, because a new run begins without buckets and its stacks create them. Versions before
the newest, access control lists and the bucket's own configuration are not kept.

Patched on moto: ``S3Backend.create_bucket``. Used of it: ``s3_backends``, ``S3Backend.buckets``, ``put_object``,
``tagger`` and ``FakeKey`` (``value``, ``metadata``, ``storage_class``, ``last_modified``, ``arn``, ``version_id``).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatrial.emulator.settings import EmulatorSettings

_SAVE_EVERY = 5.0  # seconds; what a killed emulator may lose


class Buckets:
    """Keeps objects in ``settings.state / "buckets"``."""

    def __init__(self, settings: EmulatorSettings) -> None:
        self._settings = settings
        self._directory = settings.state / "buckets"
        self._written: dict[str, str] = {}
        self._closing = threading.Event()
        self._saver = threading.Thread(target=self._save_often, name="buckets", daemon=True)

    def install(self) -> None:
        """Bring back a bucket's objects when it is created, and begin to save."""
        from moto.s3.models import S3Backend

        own = S3Backend.create_bucket

        def create_bucket(backend: Any, bucket_name: str, *arguments: Any, **named: Any) -> Any:
            bucket = own(backend, bucket_name, *arguments, **named)
            self._restore(backend, bucket_name)
            return bucket

        S3Backend.create_bucket = create_bucket
        self._saver.start()

    def stop(self) -> None:
        """Save a last time."""
        self._closing.set()
        if self._saver.is_alive():
            self._saver.join()
            self.save()

    def save(self) -> None:
        """Write what has changed since the last time."""
        from moto.s3.models import s3_backends

        backend = s3_backends[self._settings.account]["aws"]
        buckets = dict(backend.buckets)
        for name, bucket in buckets.items():
            self._save_bucket(backend, name, bucket)
        for name in set(self._written) - set(buckets):  # deleted in this run
            shutil.rmtree(self._directory / name, ignore_errors=True)
            del self._written[name]

    def _save_often(self) -> None:
        while not self._closing.wait(_SAVE_EVERY):
            self.save()

    def _save_bucket(self, backend: Any, name: str, bucket: Any) -> None:
        from moto.s3.models import FakeKey

        directory = self._directory / name
        newest = {key: bucket.keys.get(key) for key in list(bucket.keys)}
        objects = {key: each for key, each in newest.items() if isinstance(each, FakeKey)}  # else a delete marker
        index = {key: _described(backend, each) for key, each in objects.items()}
        text = json.dumps(index, sort_keys=True, indent=1)
        if self._written.get(name) == text:
            return
        blobs = directory / "blobs"
        blobs.mkdir(parents=True, exist_ok=True)
        for key, each in objects.items():
            blob = blobs / _blob_name(key, index[key])
            if not blob.exists():
                partial = blob.with_suffix(".partial")
                partial.write_bytes(each.value)
                partial.rename(blob)
        partial = directory / "index.partial"
        partial.write_text(text, encoding="utf-8")
        partial.rename(directory / "index.json")
        self._written[name] = text
        wanted = {_blob_name(key, described) for key, described in index.items()}
        for blob in blobs.iterdir():
            if blob.name not in wanted:
                blob.unlink()

    def _restore(self, backend: Any, name: str) -> None:
        directory = self._directory / name
        try:
            index = json.loads((directory / "index.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        for key, described in index.items():
            value = (directory / "blobs" / _blob_name(key, described)).read_bytes()
            restored = backend.put_object(
                name, key, value, storage=described["storage"], etag=described["etag"], disable_notification=True
            )
            restored.set_metadata(dict(described["metadata"]), replace=False)
            restored.last_modified = datetime.fromisoformat(described["modified"])
            if described["tags"]:
                tags = [{"Key": tag, "Value": text} for tag, text in described["tags"].items()]
                backend.tagger.tag_resource(restored.arn, tags)


def _described(backend: Any, key: Any) -> dict[str, Any]:
    return {
        "etag": key.etag.strip('"'),
        "storage": key.storage_class,
        "metadata": dict(key.metadata),
        "modified": key.last_modified.isoformat(),
        "tags": backend.tagger.get_tag_dict_for_resource(key.arn),
    }


def _blob_name(key: str, described: dict[str, Any]) -> str:
    """Name a blob by what identifies its content: the key, its entity tag and when it was written."""
    return hashlib.sha256(f"{key}\n{described['etag']}\n{described['modified']}".encode()).hexdigest()
