"""The production settings, with what tests need otherwise."""

from stockweb.settings import *  # noqa: F403 - that is what a settings overlay is
from stockweb.settings import MIDDLEWARE, STORAGES

SECRET_KEY = "for-tests-only"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Names with hashes exist after collectstatic only; test_web_process.py tries that for real.
MIDDLEWARE = [each for each in MIDDLEWARE if "whitenoise" not in each]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
LOW_STOCK_RECIPIENTS = ["keeper@stockweb.example"]
