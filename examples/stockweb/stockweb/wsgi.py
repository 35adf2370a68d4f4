"""The WSGI entry point: ``gunicorn stockweb.wsgi``."""

import os

from django.core.wsgi import get_wsgi_application

from stockweb.environment import require

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockweb.settings")

# collectstatic and migrate can do without; a web process must fail when it starts and not at the first request.
require("SECRET_KEY", "set the environment variable DJANGO_SECRET_KEY")
application = get_wsgi_application()
