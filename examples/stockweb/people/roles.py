"""Three roles, kept as groups, and what each may do, by Django's names of permissions.

A *viewer* reads; a *keeper* changes stock, boxes and parts as well; an *admin* also changes definitions, people and
settings, and may use Django's admin. Whoever has no role is a viewer. What a role may is said here and not in the
database, so that it comes with the version that needs it: :class:`RolePermissions` answers ``user.has_perm``.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, User
from django.db import models, transaction


class Role(models.TextChoices):
    """From the one that may least to the one that may most; the values are names of groups."""

    VIEWER = "viewer"
    KEEPER = "keeper"
    ADMIN = "admin"


#: What a keeper may. An admin may everything; a viewer nothing that needs a permission.
KEEPER_MAY = frozenset(
    {
        "parts.add_part",
        "parts.change_part",
        "parts.delete_part",
        "stock.add_box",
        "stock.change_box",
        "stock.delete_box",
        "stock.add_movement",
        "exchange.add_import",
        "attachments.add_attachment",
        "attachments.delete_attachment",
        "shops.add_shop",
        "shops.change_shop",
        "shops.delete_shop",
        "shops.add_offer",
        "shops.change_offer",
        "shops.delete_offer",
        "shops.add_rate",
        "projects.add_project",
        "projects.change_project",
        "projects.delete_project",
        "projects.add_build",
    }
)


class NoAdminLeft(Exception):
    """Somebody has to be able to give roles."""


class RolePermissions(BaseBackend):
    """Answers ``user.has_perm`` by the user's role; authenticates nobody."""

    def has_perm(self, user_obj: AbstractBaseUser | AnonymousUser, perm: str, obj: Any = None) -> bool:  # noqa: ARG002
        """Whether the role includes the permission, for all objects alike."""
        role = role_of(user_obj)
        return role == Role.ADMIN or (role == Role.KEEPER and perm in KEEPER_MAY)

    def has_module_perms(self, user_obj: AbstractBaseUser | AnonymousUser, _app_label: str) -> bool:
        """Whether the user may do anything in an app, as Django's admin asks."""
        return role_of(user_obj) == Role.ADMIN


def role_of(user: Any) -> Role | None:
    """Return the role of a user, None for whoever is not logged in. At most one query for each user object."""
    if not (user.is_authenticated and user.is_active):
        return None
    if user.is_superuser:
        return Role.ADMIN
    if not hasattr(user, "_role"):
        user._role = highest(group.name for group in user.groups.all())  # noqa: SLF001 - as Django keeps permissions
    return user._role  # noqa: SLF001


def with_roles(users: Sequence[User]) -> Sequence[User]:
    """Return users whose roles are known. One query for all of them."""
    groups: dict[int, list[str]] = {user.pk: [] for user in users}
    memberships = User.groups.through.objects.filter(user__in=groups, group__name__in=Role.values)
    for user, name in memberships.values_list("user_id", "group__name"):
        groups[user].append(name)
    for user in users:
        user._role = highest(groups[user.pk])  # noqa: SLF001 - as Django keeps permissions
    return users


def highest(names: Any) -> Role:
    """Return the role that may most among the names of groups."""
    known = set(names)
    return next((role for role in reversed(Role) if role.value in known), Role.VIEWER)


def give(user: User, role: Role) -> None:
    """Make a role the only one that a user has. Raises :class:`NoAdminLeft`."""
    with transaction.atomic():
        # Whoever changes an admin waits here for whoever else does: two cannot take the last two away at once.
        groups = {each: Group.objects.get_or_create(name=each)[0] for each in Role.values}
        Group.objects.select_for_update().get(name=Role.ADMIN)
        if role != Role.ADMIN:
            _spare_the_last_admin(user)
        user.groups.remove(*groups.values())
        user.groups.add(groups[role])
        user.is_staff, user.is_superuser = role == Role.ADMIN, user.is_superuser and role == Role.ADMIN
        user.save(update_fields=["is_staff", "is_superuser"])
    user.__dict__.pop("_role", None)


def let_in(user: User, *, active: bool) -> None:
    """Let somebody log in, or no longer; their history and tokens stay. Raises :class:`NoAdminLeft`."""
    with transaction.atomic():
        list(Group.objects.select_for_update().filter(name=Role.ADMIN))
        if not active:
            _spare_the_last_admin(user)
        user.is_active = active
        user.save(update_fields=["is_active"])


def _spare_the_last_admin(user: User) -> None:
    admins = User.objects.filter(is_active=True).filter(models.Q(is_superuser=True) | models.Q(groups__name=Role.ADMIN))
    if admins.filter(pk=user.pk).exists() and not admins.exclude(pk=user.pk).exists():
        raise NoAdminLeft(f"{user.get_username()} is the only admin: make somebody else one first")
