"""The registry that keeps the image of every release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from seatrial.stack.graph import GetAtt, Noted, Output, Resource, Template

if TYPE_CHECKING:
    from seatrial.stack.model import Registry

#: So many releases back can be rolled back to.
_KEPT_IMAGES = 200


def registry_template(registry: Registry) -> Template:
    """Return the registry's template."""
    expiry = {
        "rules": [
            {
                "rulePriority": 1,
                "description": f"keep the last {_KEPT_IMAGES} images",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": _KEPT_IMAGES},
                "action": {"type": "expire"},
            }
        ]
    }
    return Template(
        name="registry",
        description="Container registry",
        resources={
            "Repository": Resource(
                "AWS::ECR::Repository",
                {
                    "RepositoryName": registry.name,
                    "ImageTagMutability": Noted(
                        "IMMUTABLE", "A tag is a commit: it must not mean another image tomorrow"
                    ),
                    "ImageScanningConfiguration": {"ScanOnPush": True},
                    "LifecyclePolicy": {
                        "LifecyclePolicyText": Noted(
                            json.dumps(expiry, indent=2) + "\n",
                            "Oldest pushes go first. Storage is paid by the GiB; a rollback needs its image",
                        )
                    },
                },
                deletion_policy="RetainExceptOnCreate",
                update_replace_policy="Retain",
            )
        },
        outputs={
            "RepositoryUri": Output("Where images are pushed to", GetAtt("Repository", "RepositoryUri")),
            "RepositoryArn": Output("The repository", GetAtt("Repository", "Arn")),
        },
    )
