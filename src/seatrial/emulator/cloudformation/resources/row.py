"""A resource type as one row of facts about its service's API.

A row names the calls; botocore's shapes do the rest (:mod:`.coercion`). What a row cannot say it does with a function
of its own, next to it in the service's module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath  # type: ignore[import-untyped]  # it has no types
from botocore.exceptions import ClientError

from seatrial.emulator.cloudformation.changes import differing
from seatrial.emulator.cloudformation.errors import ResourceFailed
from seatrial.emulator.cloudformation.resources.coercion import coerce, members
from seatrial.emulator.cloudformation.resources.work import Work, generated_name

Answer = dict[str, Any]
Properties = Mapping[str, Any]

_GONE = re.compile(r"NotFound|NoSuch|NotExist|NonExistent|DoesNotExist")


@dataclass(frozen=True)
class Name:
    """The property that names a resource, and what CloudFormation makes of it where the template gives none.

    ``unique`` names stand in the way of a replacement that keeps the name; a task definition's family does not.
    """

    property: str
    limit: int = 64
    lower: bool = False
    unique: bool = True


@dataclass(frozen=True)
class Tagging:
    """The calls that set and remove tags of an existing resource."""

    add: str
    resource: str
    tags: str = "Tags"
    remove: str = ""
    keys: str = "TagKeys"
    property: str = "Tags"
    identity: Callable[[Work], Any] = field(default=lambda work: work.physical_id)


@dataclass(frozen=True)
class Row:
    """One resource type.

    ``identity``    path into the answer of ``create`` (or a function) to the physical id, which is what Ref gives
    ``key``         the API's parameter that names the resource in update and delete calls
    ``rename``      property → parameter, where they differ by more than case
    ``prepare``     properties → properties before coercion, for create and update
    ``describe``    (operation, its key, path) whose answer ``attributes`` look into
    ``after``       what has calls of its own; runs after create (old is None) and after update
    ``handles``     the properties that ``after`` brings up to date
    ``settle``      waits until others may use the resource
    ``replaced_by`` conditional create-only properties that do replace it
    ``later``       properties that mean nothing before an update or the deletion
    """

    service: str
    create_call: str = ""
    identity: str | Callable[[Work, Answer], str] = ""
    name: Name | None = None
    key: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[Work, dict[str, Any]], dict[str, Any]] | None = None
    update_call: str = ""
    delete_call: str = ""
    describe: tuple[str, str, str] | None = None
    attributes: Mapping[str, str | Callable[[Work], Any]] = field(default_factory=dict)
    after: Callable[[Work, Properties | None], None] | None = None
    handles: frozenset[str] = frozenset()
    settle: Callable[[Work], None] | None = None
    tagging: Tagging | None = None
    replaced_by: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    on_create: Callable[[Work], None] | None = None
    on_update: Callable[[Work, Properties], None] | None = None
    on_delete: Callable[[Work], None] | None = None
    before_delete: Callable[[Work], None] | None = None

    def create(self, work: Work) -> None:
        """See :class:`~.work.Provider`. What no call takes and no function asks for is ``unapplied``."""
        given = set(work.properties)
        if self.name and not work.get(self.name.property):
            work.properties[self.name.property] = generated_name(
                work.place.stack,
                work.logical_id,
                limit=self.name.limit,
                lower=self.name.lower,
            )
        if self.on_create:
            self.on_create(work)
        else:
            answer = work.call(self.service, self.create_call, **self.parameters(work, self.create_call))
            work.physical_id = self._identity(work, answer)
        if self.after:
            self.after(work, None)
        if self.settle:
            self.settle(work)
        work.unapplied |= given - work.read - self.later

    def update(self, work: Work, old: Properties) -> None:
        """See :class:`~.work.Provider`. Raises ``ResourceFailed`` for a change that the row has no call for."""
        if self.name and not work.get(self.name.property):
            work.properties[self.name.property] = old.get(self.name.property) or work.physical_id
        changed = differing(old, work.properties) - ({self.name.property} if self.name else set())
        if self.on_update:
            self.on_update(work, old)
        else:
            self._update(work, old, changed)
        if self.after and (self.on_update or changed & self.handles or not self.handles):
            self.after(work, old)
        if self.settle and changed:
            self.settle(work)

    def delete(self, work: Work) -> None:
        """See :class:`~.work.Provider`. What is gone already is deleted."""
        try:
            if self.before_delete:
                self.before_delete(work)
            if self.on_delete:
                self.on_delete(work)
            elif self.delete_call:
                shape = work.shapes(self.service, self.delete_call)
                value = coerce(shape.members[self.key], work.physical_id)
                work.call(self.service, self.delete_call, **{self.key: value})
        except ClientError as error:
            if not is_gone(error):
                raise

    def attribute(self, work: Work, name: str) -> Any:
        """See :class:`~.work.Provider`."""
        source = self.attributes.get(name)
        if callable(source):
            return source(work)
        if source is not None and self.describe:
            return jmespath.search(source, self.read(work))
        return work.properties.get(name)

    def replaces(self, name: str) -> bool:
        """See :class:`~.work.Provider`."""
        return name in self.replaced_by

    def read(self, work: Work) -> Any:
        """Return the resource as its describe call shows it."""
        if self.describe is None:
            raise ResourceFailed(f"a {work.type} cannot be read")
        operation, key, path = self.describe
        shape = work.shapes(self.service, operation)
        answer = work.call(self.service, operation, **{key: coerce(shape.members[key], work.physical_id)})
        return jmespath.search(path, answer) if path else answer

    def parameters(self, work: Work, operation: str) -> dict[str, Any]:
        """Return the properties as the parameters of a call of this service."""
        given = set(work.properties)
        properties = dict(work.properties)
        if self.prepare:
            properties = self.prepare(work, properties)
        renamed = {self.rename.get(name, name): value for name, value in properties.items()}
        names = {self.rename.get(name, name): name for name in properties}
        misfits: list[tuple[str, ...]] = []
        parameters: dict[str, Any] = coerce(work.shapes(self.service, operation), renamed, misfits.append)
        for first, *rest in misfits:
            if rest:
                work.misfit(names[first])(tuple(rest))
        work.read |= given - {names[path[0]] for path in misfits if len(path) == 1}
        return parameters

    def _identity(self, work: Work, answer: Answer) -> str:
        if callable(self.identity):
            return self.identity(work, answer)
        return str(jmespath.search(self.identity, answer))

    def _update(self, work: Work, old: Properties, changed: set[str]) -> None:
        own: set[str] = set()
        if self.update_call:
            shape = work.shapes(self.service, self.update_call)
            known = members(shape)
            own = {name for name in changed if self.rename.get(name, name).lower() in known} - self.handles
        tags = {self.tagging.property} & changed if self.tagging else set()
        left = changed - own - self.handles - tags
        if left:
            raise ResourceFailed(
                f"The emulator cannot change {', '.join(sorted(left))} of a {work.type} that exists; "
                "delete the resource and create it anew"
            )
        if own - tags:
            parameters = self.parameters(work, self.update_call)
            if self.key:
                parameters[self.key] = coerce(shape.members[self.key], work.physical_id)
            work.call(self.service, self.update_call, **parameters)
        if tags and self.tagging:
            retag(self.service, self.tagging, work, old)


def is_gone(error: ClientError) -> bool:
    """Whether a service answered that the resource does not exist."""
    return bool(_GONE.search(str(error.response.get("Error", {}).get("Code", ""))))


def retag(service: str, tagging: Tagging, work: Work, old: Properties) -> None:
    """Bring the tags of a resource up to date."""
    resource = tagging.identity(work)
    wanted, present = work.get(tagging.property) or [], old.get(tagging.property) or []
    gone = sorted(_keys(present) - _keys(wanted))
    if gone and tagging.remove:
        shape = work.shapes(service, tagging.remove)
        keys: Any = gone
        if getattr(shape.members[tagging.keys].member, "type_name", "") == "structure":
            keys = [{"Key": key} for key in gone]
        work.call(
            service,
            tagging.remove,
            **{tagging.resource: coerce(shape.members[tagging.resource], resource), tagging.keys: keys},
        )
    if wanted:
        shape = work.shapes(service, tagging.add)
        work.call(
            service,
            tagging.add,
            **{
                tagging.resource: coerce(shape.members[tagging.resource], resource),
                tagging.tags: coerce(shape.members[tagging.tags], wanted),
            },
        )


def _keys(tags: Any) -> set[str]:
    return set(tags) if isinstance(tags, dict) else {str(tag["Key"]) for tag in tags}
