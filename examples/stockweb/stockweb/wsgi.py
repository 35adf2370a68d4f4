"""The WSGI entry point: ``gunicorn stockweb.wsgi``.

What is missing or broken must end the process when it starts, where a release sees it, and not fail the first request.
"""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from stockweb.environment import require

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockweb.settings")

# collectstatic and migrate can do without.
require("SECRET_KEY", "set the environment variable DJANGO_SECRET_KEY")
application = get_wsgi_application()
# Django reads the URLs, and all views with them, when it first needs them; before gunicorn forks is the time for that.
get_resolver().url_patterns  # noqa: B018 - reading them is the point
