"""Django's settings, all from the environment (https://12factor.net/config). README.md lists the variables."""

import os
import ssl
from pathlib import Path

from celery.schedules import crontab
from corsheaders.defaults import default_headers

from stockweb.environment import flag, listed, one_of, origins, own_addresses, whole
from stockweb.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = os.environ.get("SEATRIAL_VERSION", "development")

DEBUG = flag("DJANGO_DEBUG")
HTTPS = flag("DJANGO_HTTPS")
# Empty is Django's own "not set": the first use raises. wsgi.py makes that use when a web process starts.
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY", "not-secret-for-development-only" if DEBUG else "")
ALLOWED_HOSTS = listed("DJANGO_ALLOWED_HOSTS") + own_addresses()
#: Where the front end is, if it has a host of its own; the release says it.
SITE_URL = next(iter(origins("SITE_URL")), "")
ORIGINS = sorted({*origins("SITE_URL"), *origins("DJANGO_CORS_ORIGINS")})
CSRF_TRUSTED_ORIGINS = listed("DJANGO_CSRF_TRUSTED_ORIGINS") + ORIGINS
#: How many proxies before this process write into X-Forwarded-For whom they heard from; what else is there is hearsay.
PROXIES = whole("DJANGO_PROXIES", 0)
#: Whether only people who are logged in may look.
PRIVATE = flag("STOCKWEB_PRIVATE")

INSTALLED_APPS = [
    "parts",
    "stock",
    "shops",
    "projects",
    "exchange",
    "attachments",
    "people",
    "pages",
    "seeds",
    "drf_spectacular",
    "corsheaders",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "stockweb.headers.ResponseHeaders",
    "stockweb.tracing.RequestId",
    "metrics.counting.Counting",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "people.private.Private",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "stockweb.urls"
WSGI_APPLICATION = "stockweb.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Data ---------------------------------------------------------------------------------------------------------------

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ.get("PGHOST", ""),
        "PORT": os.environ.get("PGPORT", ""),
        "NAME": os.environ.get("PGDATABASE", "stockweb"),
        "USER": os.environ.get("PGUSER", ""),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
        # A connection for each thread, kept between requests and tried before it is used again, so that a database
        # that was replaced costs no failed request.
        "CONN_MAX_AGE": whole("DJANGO_CONN_MAX_AGE", 300),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 3,
            "application_name": f"stockweb {VERSION}"[:63],
            # How alike two words must be for a misspelt one to be found: at this value "rezistor" and "capcitor" find
            # what was meant, and "resistor" does not find every transistor (0.50, 0.58 and 0.33). And that looking up a
            # row costs little more than reading on: indexes are in memory, and a disk of today need not turn first. And
            # that no query is compiled: where PostgreSQL can, it would for a search among a million parts.
            "options": "-c pg_trgm.strict_word_similarity_threshold=0.45 -c random_page_cost=1.1 -c jit=off",
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

#: Where the data is: in PostgreSQL, or in MongoDB, for which see documents/ and stockweb/store.py.
STORE = one_of("STOCKWEB_STORE", "postgres", "mongo")
if STORE == "mongo":
    DATABASES = {
        "default": {
            "ENGINE": "documents",
            "HOST": os.environ.get("MONGODB_URI", "mongodb://127.0.0.1:27017/stockweb"),
            "NAME": os.environ.get("MONGODB_DATABASE", ""),  # empty: the one that the address names
            "OPTIONS": {"serverSelectionTimeoutMS": 3000, "appname": f"stockweb {VERSION}"[:63]},
        },
    }
    # Those that speak SQL on the way.
    MIGRATION_MODULES = {app: f"documents.migrations.{app}" for app in ("parts", "stock")}
    # No generated column (parts/mongo.py searches the fields themselves), no columns beside the key of an index, and
    # no index on an expression: these were for speed.
    SILENCED_SYSTEM_CHECKS = ["fields.E220", "fields.E222", "models.W040", "models.W043"]

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "stockweb",
        # A cache that does not answer must fail soon: readiness has to be known within the load balancer's timeout.
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 2},
    },
    # Whole pages for visitors who are not logged in, in this process's memory: see pages/visitors.py.
    "pages": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pages",
        "TIMEOUT": 5,
        "OPTIONS": {"MAX_ENTRIES": 300},
    },
}

# People -------------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "people.roles.RolePermissions"]
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = 3600  # of the link that `manage.py invite` prints
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# Logging in by the front end (allauth headless, https://docs.allauth.org/en/latest/headless/), by session and cookie.
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser",)
HEADLESS_FRONTEND_URLS = {"account_reset_password_from_key": f"{SITE_URL}/set-password/{{key}}"}
ACCOUNT_ADAPTER = "people.accounts.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False

# Security -----------------------------------------------------------------------------------------------------------

SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
# A front end on another host of the same site (app. and api.stockweb.example) needs neither of these: its requests
# carry the cookies of this host. On another site, which browsers more and more refuse, it needs "None".
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = one_of("DJANGO_COOKIE_SAMESITE", "Lax", "Strict", "None")
SESSION_COOKIE_DOMAIN = CSRF_COOKIE_DOMAIN = os.environ.get("DJANGO_COOKIE_DOMAIN") or None
CORS_ALLOWED_ORIGINS = ORIGINS
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = [*default_headers, "idempotency-key", "x-request-id"]
CORS_EXPOSE_HEADERS = ["Retry-After", "X-Request-ID", "X-Stockweb-Version"]
CORS_URLS_REGEX = r"^/(api|_allauth)/"
SECURE_SSL_REDIRECT = HTTPS
# The load balancer, ECS and Prometheus ask a task over plain HTTP, and a redirect is not healthy.
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^health/ready$", r"^metrics$"]
SECURE_HSTS_SECONDS = whole("DJANGO_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
if HTTPS:
    # The load balancer ends TLS, and writes this header itself whatever a client sent.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# API ----------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "api.schema.Operation",
    "EXCEPTION_HANDLER": "api.errors.handle",
    "URL_FORMAT_OVERRIDE": None,
}
#: Requests a minute: of an address that is not logged in, of a person, of a token; 0 is no limit.
API_LIMITS = {
    "anonymous": whole("API_LIMIT_ANONYMOUS", 600),
    "user": whole("API_LIMIT_USER", 1200),
    "token": whole("API_LIMIT_TOKEN", 1200),
}
#: Attempts to log in on the page, a minute: of an address, and for a name.
LOGIN_LIMITS = {"address": 30, "name": 10}
SPECTACULAR_SETTINGS = {
    "TITLE": "Stockweb",
    "DESCRIPTION": "A stock manager for electronic spare parts.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["api.schema.versioned"],
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
    "ENUM_NAME_OVERRIDES": {
        "Kind": "parts.models.AttributeDefinition.Kind",
        "Match": "parts.models.AttributeDefinition.Match",
        "Unit": "parts.models.AttributeDefinition.Unit",
        "BoxKind": "stock.models.Box.Kind",
        "Reason": "stock.models.Movement.Reason",
        "ImportState": "exchange.models.Import.State",
        "Verdict": "exchange.models.ImportLine.Verdict",
        "AttachmentState": "attachments.models.Attachment.State",
        "Role": "people.roles.Role",
        "Scope": "people.models.Token.Scope",
    },
}

# Pages --------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(os.environ.get("DJANGO_STATIC_ROOT", BASE_DIR / "staticfiles"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        # Names carry the content's hash, so browsers keep files for ever and both versions of a release find theirs.
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
    },
}

#: What prices of all shops are compared in; rates to it are kept by hand.
HOME_CURRENCY = os.environ.get("HOME_CURRENCY", "EUR")

# Files of parts -------------------------------------------------------------------------------------------------------

#: A private bucket; empty: nothing can be attached. Where S3 is and who asks, boto3 finds out by itself.
MEDIA_BUCKET = os.environ.get("MEDIA_BUCKET", "")

# Mail ---------------------------------------------------------------------------------------------------------------

EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = whole("EMAIL_PORT", 587 if EMAIL_HOST else 25)
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=bool(EMAIL_HOST))
EMAIL_TIMEOUT = 10
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "stockweb@localhost")
LOW_STOCK_RECIPIENTS = listed("LOW_STOCK_RECIPIENTS")

# Background work ----------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": ssl.CERT_REQUIRED} if REDIS_URL.startswith("rediss:") else None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "stockweb"
CELERY_TASK_IGNORE_RESULT = True
# A task is acknowledged when it is done, so one that a stopped or lost worker held is done again by another: every
# task here may run twice. One is reserved at a time, so that a stopping worker holds nothing it has not begun.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
# SIGTERM lets a worker finish what it runs. No task may take longer than that can last: ECS sends SIGKILL after 30
# seconds. What a lost worker held is given to another when this many seconds have passed without an acknowledgement.
CELERY_TASK_TIME_LIMIT = 25
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 120}
CELERY_TIMEZONE = TIME_ZONE
# Entries are all times of day, so beat has nothing to remember between runs and writes no file.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_SCHEDULE = {
    "audit-ledger": {"task": "stock.tasks.audit_ledger", "schedule": crontab(hour=3, minute=30)},
    "read-attributes": {"task": "parts.tasks.read_attributes", "schedule": crontab(hour=3, minute=45)},
    "resume-imports": {"task": "exchange.tasks.resume_imports", "schedule": crontab()},
    "forget-imports": {"task": "exchange.tasks.forget_imports", "schedule": crontab(hour=4, minute=0)},
    "redraw-photos": {"task": "attachments.tasks.redraw_photos", "schedule": crontab(minute="*/15")},
    "sweep-attachments": {"task": "attachments.tasks.sweep_attachments", "schedule": crontab(hour=4, minute=15)},
    "low-stock-digest": {"task": "stock.tasks.send_low_stock_digest", "schedule": crontab(minute=5)},
}

# Logs and metrics --------------------------------------------------------------------------------------------------

#: Whoever shows it may read /metrics; without one nobody may.
METRICS_TOKEN = os.environ.get("METRICS_TOKEN", "")
LOGGING = logging_config(VERSION, plain=DEBUG)
