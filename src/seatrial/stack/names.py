"""What everything is called on AWS. The renderers and the release agree on these names and on nothing else.

The release finds what an infrastructure tool made by these names and by the outputs listed in :data:`APP_OUTPUTS`,
so it does not matter which tool that was.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seatrial.config.models import Settings

#: Outputs of the app stack that a release reads. Lists are joined by commas.
#:
#: ``ClusterName``; ``RepositoryUri`` (ECR, no tag); ``TaskSubnets`` (list); ``TaskSecurityGroup``;
#: ``AssignPublicIp`` (ENABLED or DISABLED); ``Url`` (of the load balancer or the domain).
APP_OUTPUTS = ("ClusterName", "RepositoryUri", "TaskSubnets", "TaskSecurityGroup", "AssignPublicIp", "Url")

#: Outputs that there are besides where deployments shift traffic: ``TestUrl`` is where only a new version answers,
#: ``TestAddress`` the load balancer's own name for it, with the port.
TEST_OUTPUTS = ("TestUrl", "TestAddress")

#: Outputs that there are besides where there is a site: ``SiteBucketName``, ``SiteDistributionId`` (CloudFront),
#: ``SiteDomainName`` (what a DNS record points to) and ``SiteUrl``.
SITE_OUTPUTS = ("SiteBucketName", "SiteDistributionId", "SiteDomainName", "SiteUrl")

#: Folder of the site's bucket that is served.
LIVE_FOLDER = "live"

#: Parameter of the app stack: the image that the next revision is written with. There is one more for each service,
#: see :func:`released_parameter`, and another for each whose traffic is shifted, see :func:`serving_parameter`.
IMAGE_PARAMETER = "ImageUri"

#: Tag of the image that revisions name before the first release. No image has it.
NO_IMAGE_TAG = "none"


#: Characters of a schedule's name (EventBridge Scheduler API reference, CreateSchedule).
_SCHEDULE_NAME = 64


def base_stack(settings: Settings) -> str:
    """Name of the base stack, and the prefix of its exports: ``stockweb-base``."""
    return f"{settings.app.name}-{settings.target.base}"


def app_stack(settings: Settings) -> str:
    """Name of the app stack, which is also the cluster's: ``stockweb-production``."""
    return f"{settings.app.name}-{settings.name}"


cluster = app_stack


def family(settings: Settings, unit: str) -> str:
    """Task definition family of a service, task or job: ``stockweb-production-web``.

    The one container that runs the image is called like the unit itself; the ECS service is too.
    """
    return f"{app_stack(settings)}-{unit}"


def schedule(family: str) -> str:
    """Name of a job's schedule: its family, or the beginning of a long one and a hash, for 64 characters at most."""
    if len(family) <= _SCHEDULE_NAME:
        return family
    ending = hashlib.sha256(family.encode()).hexdigest()[:8]
    return f"{family[: _SCHEDULE_NAME - 9]}-{ending}"


def log_group(settings: Settings, unit: str) -> str:
    """Log group of a service, task or job: ``/stockweb/production/web``; streams are ``ecs/CONTAINER/TASK-ID``."""
    return f"/{settings.app.name}/{settings.name}/{unit}"


def secret(settings: Settings, name: str) -> str:
    """Name of a secret in Secrets Manager: ``stockweb/production/DJANGO_SECRET_KEY``."""
    return f"{settings.app.name}/{settings.name}/{name}"


def deployment_application(settings: Settings) -> str:
    """Name of the CodeDeploy application; the deployment group of a service is called like the service."""
    return app_stack(settings)


def gate_function(settings: Settings) -> str:
    """Name of the Lambda function that runs gate tasks in a hook: ``stockweb-production-gates``."""
    return f"{app_stack(settings)}-gates"


def release_prefix(settings: Settings) -> str:
    """Path of the release records and the lock in the SSM parameter store: ``/stockweb/production``."""
    return f"/{settings.app.name}/{settings.name}"


def site(settings: Settings) -> str:
    """Name of what a site has on CloudFront that needs one: ``stockweb-production-site``."""
    return f"{app_stack(settings)}-site"


def repository(settings: Settings) -> str:
    """Name of the ECR repository: ``stockweb`` on the base called base, ``stockweb-shared`` on one called shared."""
    return settings.app.name if settings.target.base == "base" else f"{settings.app.name}-{settings.target.base}"


def artifacts_bucket(settings: Settings, account: str, region: str) -> str:
    """Name of the bucket for templates and release logs: everyone on AWS shares one set of bucket names."""
    return f"{settings.app.name}-artifacts-{account}-{region}"


def log_prefix(settings: Settings) -> str:
    """Where in :func:`artifacts_bucket` an environment's release logs are: ``releases/production/``."""
    return f"releases/{settings.name}/"


def logical(name: str) -> str:
    """Return the logical name of a name: ``LowStockDigest``, or ``DjangoSecretKey`` of ``DJANGO_SECRET_KEY``."""
    return "".join(part[:1].upper() + part[1:].lower() for part in re.split(r"[^A-Za-z0-9]+", name) if part)


def released_parameter(unit: str) -> str:
    """Parameter of the app stack that says whether a release has been to a service or job: ``WebReleased``.

    ``false`` creates the service with no tasks, ``true`` leaves its count alone. It is a parameter for each service,
    because one that is added to an environment with a live release must wait for the next: the live image may not
    know its command. Of a job it says whether its schedule is on, for the same reason.
    """
    return f"{logical(unit)}Released"


def serving_parameter(unit: str) -> str:
    """Parameter of the app stack that says which target group of a service serves: ``WebServing``.

    ``primary`` or ``alternate``: ECS lets them take turns, release by release. A template that changes a listener rule
    writes its weights too, and must write those that ECS has set.
    """
    return f"{logical(unit)}Serving"
