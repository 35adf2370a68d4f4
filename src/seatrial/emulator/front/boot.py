"""Loading moto with the settings that an emulator wants. moto reads its environment when it is imported.

Patched on moto, all to start sooner: ``moto.utilities.utils.load_resource``, before EC2 is imported,
``moto.core.loaders.Loader.FILE_LOADER_CLASS`` and ``moto.iam.models.IAMBackend._init_aws_policies``.
"""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any

from pydantic_core import from_json

from seatrial.servicemodels import parsed, read_fast

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

    from seatrial.emulator.settings import EmulatorSettings


def environment(settings: EmulatorSettings) -> dict[str, str]:
    """Return the environment in which moto must be imported, and what boto3 clients of ours sign with."""
    return {
        "MOTO_ACCOUNT_ID": settings.account,
        "MOTO_PORT": str(settings.port),
        "MOTO_ACM_VALIDATION_WAIT": "0",  # seconds; a certificate is validated at once: nobody owns the domain here
        "MOTO_DISABLE_GLOBAL_CORS": "true",  # a bucket answers browsers as its own CORS rules say, as on AWS
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # roles attach AmazonECSTaskExecutionRolePolicy and the like
        "AWS_ACCESS_KEY_ID": "emulator",
        "AWS_SECRET_ACCESS_KEY": "emulator",
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def prepare(settings: EmulatorSettings) -> None:
    """Set this process's environment. To be called before anything imports moto."""
    if "moto.settings" in sys.modules:
        raise RuntimeError("moto was imported before its environment was set")
    os.environ.update(environment(settings))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        os.environ.pop(name, None)


def application(settings: EmulatorSettings) -> WSGIApplication:
    """Import moto and return its server application: every service, chosen by the request's credential scope."""
    read_fast()
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    _keep_models_apart()
    _load_one_region(settings.region)
    _read_policies_fast()
    dispatcher: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    return dispatcher


def _keep_models_apart() -> None:
    """Give moto its own copies of botocore's models: it writes additions into them that are not for our clients."""
    from botocore.loaders import JSONFileLoader
    from moto.core.loaders import Loader

    class MotoFiles(JSONFileLoader):  # type: ignore[misc]  # botocore has no types
        def _load_file(self, full_path: str, open_method: Callable[[str, str], IO[bytes]]) -> Any:
            if not os.path.isfile(full_path):  # noqa: PTH113 - called a thousand times; botocore's own test
                return None
            return parsed(full_path, open_method)

    Loader.FILE_LOADER_CLASS = MotoFiles


def _load_one_region(region: str) -> None:
    """Keep EC2 from loading the instance types on offer in regions that nobody asks about: 27 MB and 0.2 s."""
    from moto.utilities import utils

    own = utils.load_resource

    def load_resource(filename: str) -> Any:
        path = PurePath(filename)
        if "instance_type_offerings" in path.parts and path.name.split(".")[0] != region:
            return []
        if path.name == "instance_types.json":
            return from_json(gzip.decompress(utils.load_resource_as_bytes(f"{filename}.gz")))
        return own(filename)

    utils.load_resource = load_resource


def _read_policies_fast() -> None:
    """Read IAM's managed policies, 5 MB of JSON, by pydantic's parser: 0.3 s less at the first use of any service."""
    from moto.iam.models import AWSManagedPolicy, IAMBackend, aws_managed_policies_data

    def policies(backend: Any) -> list[Any]:
        return [
            AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
            for name, data in from_json(aws_managed_policies_data).items()
        ]

    IAMBackend._init_aws_policies = policies  # noqa: SLF001
