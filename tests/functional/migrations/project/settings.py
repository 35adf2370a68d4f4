"""A project whose applications are the cases: each directory that has migrations is one."""

import os
from pathlib import Path

SECRET_KEY = "x"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "pages"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
GADGET_MODEL = "elsewhere.Gadget"
INSTALLED_APPS = sorted(found.parent.name for found in Path(__file__).parent.glob("*/migrations"))
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "USER": os.environ["PGUSER"],
        "PASSWORD": os.environ["PGPASSWORD"],
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "CONN_MAX_AGE": None,
    }
}
