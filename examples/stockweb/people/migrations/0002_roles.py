"""The three roles, as groups.

Whoever is let in already goes on doing what they did: superusers are admins, the others keepers.
"""

from django.db import migrations

ROLES = ("viewer", "keeper", "admin")


def make(apps, _schema_editor):  # noqa: ANN001, ANN201
    """Make the groups and put everybody into one."""
    groups = {name: apps.get_model("auth", "Group").objects.get_or_create(name=name)[0] for name in ROLES}
    for user in apps.get_model("auth", "User").objects.filter(is_active=True):
        user.groups.add(groups["admin" if user.is_superuser else "keeper"])


def remove(apps, _schema_editor):  # noqa: ANN001, ANN201
    """Remove the groups."""
    apps.get_model("auth", "Group").objects.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]

    operations = [migrations.RunPython(make, remove)]
