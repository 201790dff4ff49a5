"""All settings. What can be set from outside stands in ``VARIABLES``; nothing else is read."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import environ
from django.core.exceptions import ImproperlyConfigured

from harmtracker import rates, tiles
from harmtracker.postgres import default_cluster

BASE_DIR = Path(__file__).resolve().parent.parent
FIXTURES = BASE_DIR / "fixtures"


class Variable(NamedTuple):
    """One environment variable: its name, how it is read, its default and its meaning."""

    name: str
    kind: str
    default: Any
    meaning: str


VARIABLES = (
    Variable(
        "HARMTRACKER_DATA",
        "path",
        str(BASE_DIR / ".harmtracker"),
        "Folder of the embedded database, the keys made for it and the demo logins.",
    ),
    Variable(
        "HARMTRACKER_CAPTURES",
        "path",
        "",
        "Folder of the stored copies of articles; belongs into every backup. Empty: captures in "
        "the data folder.",
    ),
    Variable(
        "HARMTRACKER_RELEASES",
        "path",
        "",
        "Folder of the files of releases; belongs into every backup. Empty: releases in the data "
        "folder.",
    ),
    Variable(
        "DATABASE_URL",
        "url",
        "",
        "PostgreSQL 15 to 18 as the application's role. Empty: the embedded server.",
    ),
    Variable(
        "DATABASE_PUBLIC_URL",
        "url",
        "",
        "The same database, or a standby of it, as the public role. Needed with DATABASE_URL.",
    ),
    Variable(
        "DATABASE_OWNER_URL",
        "url",
        "",
        "The same database as the owner's role: for migrations and tests, never for the running "
        "app.",
    ),
    Variable(
        "HARMTRACKER_ROLE_PREFIX",
        "str",
        "harmtracker",
        "Role names begin with it (roles are global to a server): PREFIX_owner, _app, _public.",
    ),
    Variable(
        "SECRET_KEY",
        "str",
        "",
        "Signs sessions, at least 50 characters. Empty: made once and kept in the data folder.",
    ),
    Variable(
        "HARMTRACKER_SOURCE_KEY",
        "str",
        "",
        "Encrypts who confidential sources are, at least 50 characters; never in the database. "
        "Empty: made once and kept in the data folder. Lost, nobody reads them again.",
    ),
    Variable(
        "HARMTRACKER_SOURCE_OLD_KEYS",
        "list",
        [],
        "Former values of HARMTRACKER_SOURCE_KEY, by commas: they still open what they encrypted.",
    ),
    Variable(
        "HARMTRACKER_TOKEN_PEPPER",
        "str",
        "",
        "Key of the stored digests of tokens and second factors, at least 50 characters; never in "
        "the database. Empty: made once and kept in the data folder. Another one ends all tokens "
        "and authenticators.",
    ),
    Variable("DEBUG", "bool", False, "Django's debug pages; refused in the running app."),
    Variable(
        "ALLOWED_HOSTS",
        "list",
        ["127.0.0.1", "localhost", "[::1]"],
        "Host names that the app answers to, by commas; never *.",
    ),
    Variable(
        "HARMTRACKER_PROXIES",
        "int",
        0,
        "How many proxies of ours stand before the app; each adds one address to X-Forwarded-For. "
        "What stands in it beyond them is the client's own invention and is not read.",
    ),
    Variable(
        "HARMTRACKER_HTTPS",
        "bool",
        False,
        "The site is reached by HTTPS alone: secure cookies and HSTS. Needed off this machine.",
    ),
    Variable(
        "HARMTRACKER_RATE_ANONYMOUS",
        "rate",
        "60/min",
        "Requests to the API from one address without a token: so many per s, min, h or d. Empty: "
        "not counted.",
    ),
    Variable(
        "HARMTRACKER_RATE_TOKEN",
        "rate",
        "600/min",
        "Requests to the API with one token, to casework too. Empty: not counted.",
    ),
    Variable(
        "HARMTRACKER_RATE_FILE",
        "rate",
        "600/min",
        "Files of releases to one address without a token: a large release has over a thousand. "
        "Empty: not counted.",
    ),
    Variable(
        "HARMTRACKER_RATE_FILE_TOKEN",
        "rate",
        "1200/min",
        "Files of releases with one token. Empty: not counted.",
    ),
    Variable(
        "HARMTRACKER_RATE_EXPORT",
        "rate",
        "6/h",
        "Exports (any format but JSON) to one address without a token. Empty: not counted.",
    ),
    Variable(
        "HARMTRACKER_RATE_EXPORT_TOKEN",
        "rate",
        "60/h",
        "Exports with one token. Empty: not counted.",
    ),
    Variable(
        "HARMTRACKER_MAP_TILE_URL",
        "tiles",
        "",
        "Tiles below the outlines of the desk's maps, such as "
        "https://tiles.example.org/{z}/{x}/{y}.png, or of a server on this machine: their host "
        "then learns which places are looked at. Empty: outlines alone.",
    ),
    Variable(
        "HARMTRACKER_MAP_TILE_ATTRIBUTION",
        "str",
        "",
        "Whom the tiles are from, as their licence wants it said.",
    ),
)

_env = environ.Env()
# Each raises ValueError with what is wrong with a text that is not empty.
_CHECKS: dict[str, Callable[[str], object]] = {"rate": rates.parse, "tiles": tiles.origin}


def _read(name: str) -> Any:
    variable = next(v for v in VARIABLES if v.name == name)
    if variable.kind == "bool":
        return _env.bool(name, default=variable.default)
    if variable.kind == "int":
        return _env.int(name, default=variable.default)
    if variable.kind == "list":
        return _env.list(name, default=variable.default)
    text = _env.str(name, default=variable.default)
    if text and variable.kind in _CHECKS:
        try:
            _CHECKS[variable.kind](text)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from error
    return text


HARMTRACKER_DATA = Path(_read("HARMTRACKER_DATA")).absolute()
HARMTRACKER_ROLE_PREFIX = _read("HARMTRACKER_ROLE_PREFIX")
HARMTRACKER_HTTPS = _read("HARMTRACKER_HTTPS")
HARMTRACKER_PROXIES = _read("HARMTRACKER_PROXIES")
HARMTRACKER_RATE_ANONYMOUS = _read("HARMTRACKER_RATE_ANONYMOUS")
HARMTRACKER_RATE_TOKEN = _read("HARMTRACKER_RATE_TOKEN")
HARMTRACKER_RATE_FILE = _read("HARMTRACKER_RATE_FILE")
HARMTRACKER_RATE_FILE_TOKEN = _read("HARMTRACKER_RATE_FILE_TOKEN")
HARMTRACKER_RATE_EXPORT = _read("HARMTRACKER_RATE_EXPORT")
HARMTRACKER_RATE_EXPORT_TOKEN = _read("HARMTRACKER_RATE_EXPORT_TOKEN")
MAP_TILE_URL = _read("HARMTRACKER_MAP_TILE_URL")
MAP_TILE_ATTRIBUTION = _read("HARMTRACKER_MAP_TILE_ATTRIBUTION")
DEBUG = _read("DEBUG")
ALLOWED_HOSTS = _read("ALLOWED_HOSTS")

# Set by the server that `manage.py serve` starts: the owner's connection is not for it.
IS_SERVER = os.environ.get("HARMTRACKER_IS_SERVER") == "1"


def _kept_key(given: str, file_name: str) -> str:
    """The key given, or one made once and kept in the data folder, where only its owner reads."""
    if given:
        return given
    path = HARMTRACKER_DATA / file_name
    if not path.exists():
        HARMTRACKER_DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{file_name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            # A link fails where another process was first; then its key is the one.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


SECRET_KEY = _kept_key(_read("SECRET_KEY"), "secret_key")
HARMTRACKER_SOURCE_KEY = _kept_key(_read("HARMTRACKER_SOURCE_KEY"), "source_key")
HARMTRACKER_TOKEN_PEPPER = _kept_key(_read("HARMTRACKER_TOKEN_PEPPER"), "token_pepper")
HARMTRACKER_SOURCE_OLD_KEYS = _read("HARMTRACKER_SOURCE_OLD_KEYS")
HARMTRACKER_CAPTURES = Path(_read("HARMTRACKER_CAPTURES") or HARMTRACKER_DATA / "captures")
HARMTRACKER_RELEASES = Path(_read("HARMTRACKER_RELEASES") or HARMTRACKER_DATA / "releases")

# --- Databases: casework on `default`, published on `published`, migrations on `owner` ---

DATABASE_EMBEDDED = not _read("DATABASE_URL")


def _database(url: str, role: str) -> dict[str, Any]:
    if not url and not DATABASE_EMBEDDED:
        variable = {"public": "DATABASE_PUBLIC_URL", "owner": "DATABASE_OWNER_URL"}[role]
        raise ImproperlyConfigured(f"DATABASE_URL is set, so set {variable} too.")
    embedded = default_cluster(HARMTRACKER_DATA).url(f"{HARMTRACKER_ROLE_PREFIX}_{role}")
    database = dict(environ.Env.db_url_config(url or embedded))
    database["ENGINE"] = "django.db.backends.postgresql"
    # A socket's folder comes as an option; `manage.py dbshell` looks for it here.
    options = database.setdefault("OPTIONS", {})
    database["HOST"] = options.pop("host", database["HOST"])
    # In seconds. A server that is gone is told of before a client gives up.
    options.setdefault("connect_timeout", 3)
    return database


# One thread of a process works (harmtracker.working), over one lasting connection of each alias.
_LASTING = {"CONN_MAX_AGE": 600, "ATOMIC_REQUESTS": False}
DATABASES: dict[str, dict[str, Any]] = {
    "default": _database(_read("DATABASE_URL"), "app") | _LASTING | {"CONN_HEALTH_CHECKS": True},
    # Not asked at each request whether it works: incidents.api.public.reading sees that.
    "published": _database(_read("DATABASE_PUBLIC_URL"), "public") | _LASTING,
}
# Prepared statements, for the reading side alone: a document by its code is answered several
# times as fast with them.
DATABASES["published"]["OPTIONS"]["server_side_binding"] = True
if not IS_SERVER and (DATABASE_EMBEDDED or _read("DATABASE_OWNER_URL")):
    DATABASES["owner"] = _database(_read("DATABASE_OWNER_URL"), "owner")
DATABASE_ROUTERS = ["harmtracker.routers.Router"]

# --- Applications ---

INSTALLED_APPS = [
    "harmtracker",
    "harmtracker.accounts",
    "harmtracker.history",
    "sources",
    "incidents",
    "harmtracker.accounts.desk.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "harmtracker.middleware.NonAdminIsStateless",
    "harmtracker.compression.Compression",
    "harmtracker.api.throttling.Throttle",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "harmtracker.accounts.sessions.VerifiedSessions",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "harmtracker.urls"
WSGI_APPLICATION = "harmtracker.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Those of harmtracker come first: it stands first among the applications.
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["harmtracker.templatetags.own_forms"],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People ---

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["harmtracker.accounts.backend.People"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "admin:login"
# A session ends 12 hours after it began, and 30 minutes after it was last used.
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_IDLE_AGE = 30 * 60
# One step of 30 seconds earlier or later, never more; the lock-out is our own.
OTP_TOTP_SYNC = False
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0
OTP_TOTP_ISSUER = "harmtracker"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "harmtracker.accounts.kept.csrf_failure"

# --- Transport ---

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HARMTRACKER_HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HARMTRACKER_HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HARMTRACKER_HTTPS else "csrf"
SECURE_SSL_REDIRECT = HARMTRACKER_HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HARMTRACKER_HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if HARMTRACKER_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HARMTRACKER_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", *([tiles.origin(MAP_TILE_URL)] if MAP_TILE_URL else [])],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# Files go where a page awaits one (sources.uploads), and from anybody else nowhere.
FILE_UPLOAD_HANDLERS = ["sources.uploads.NoFiles"]
# The form of an incident with its inlines holds many small fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

# --- Other sites' pages may read what is public, without cookies; casework and the admin never ---

CORS_URLS_REGEX = r"^/api/(?!v1/casework/)"
CORS_ALLOW_ALL_ORIGINS = True
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ["GET", "HEAD"]
CORS_ALLOW_HEADERS = ["accept", "authorization", "if-none-match", "if-range", "range"]
CORS_EXPOSE_HEADERS = [
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Harmtracker-Citation",
    "Harmtracker-Position",
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
]

# --- Texts and files ---

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "harmtracker" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Served from where they lie: nothing is collected.
WHITENOISE_USE_FINDERS = True

# --- API ---

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["harmtracker.api.renderers.StoredJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "harmtracker.api.problems.handle",
    "DEFAULT_SCHEMA_CLASS": "harmtracker.api.naming.NamedApart",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "harmtracker",
    "DESCRIPTION": "Incidents in which civilians were harmed: what each source says, what was "
    "concluded from it, verified by a second person. Data CC BY 4.0.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # The default asks a service on the internet to validate the description.
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "validatorUrl": None},
    "SORT_OPERATION_PARAMETERS": False,
    "ENUM_NAME_OVERRIDES": {
        "ImportStateEnum": "incidents.choices.BatchState",
        "ChangeKindEnum": "incidents.choices.ChangeKind",
        "ReleaseStateEnum": "incidents.choices.ReleaseState",
    },
    "TAGS": [
        {"name": "Incidents", "description": "What was published, and each version of it."},
        {
            "name": "Casework: records",
            "description": "Entering, checking, publishing.",
        },
        {
            "name": "Casework: sources",
            "description": "Who reported what; what was kept.",
        },
        {"name": "Changes", "description": "What became of records, in the order of the ledger."},
        {"name": "Releases", "description": "Files of a ledger position, which do not change."},
        {"name": "References", "description": "What published documents refer to."},
        {"name": "Code lists", "description": "What the codes in documents mean."},
        {"name": "About", "description": "Where to start."},
    ],
}

# --- Logs: never names, bodies or search words ---

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # Its messages hold the address asked for, and so what somebody searched.
    "loggers": {
        "django.request": {"level": "CRITICAL"},
        "django.security": {"level": "CRITICAL"},
    },
}
