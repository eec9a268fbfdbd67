"""Django's settings. Environment variables (core/environment.py) set the values that differ between installations."""

from pathlib import Path

import platformdirs

from sis_sync.core import environment
from sis_sync.engine.base import engine_named
from sis_sync.server.installation import database_settings, keep_to_owner, made_data_folder, read_or_make_secret_key
from sis_sync.server.logs import LOGGING_SETTINGS

SIS_SYNC_DATA_FOLDER = made_data_folder(
    Path(environment.DATA_FOLDER.text() or platformdirs.user_data_path("sis-sync", appauthor=False)).absolute()
)
SIS_SYNC_BEHIND_PROXY = environment.BEHIND_PROXY.is_on()
SIS_SYNC_ENGINE = engine_named(environment.ENGINE.text())

SIS_SYNC_MEMORY_MB = environment.MEMORY_MB.number()
SIS_SYNC_THREADS = environment.THREADS.number()
SIS_SYNC_CALLS_A_MINUTE = environment.CALLS_A_MINUTE.number()
SIS_SYNC_UPLOADS_AT_ONCE = environment.UPLOADS_AT_ONCE.number()
SIS_SYNC_OPEN_FILES = environment.OPEN_FILES.number()
SIS_SYNC_UPLOAD_MB_A_DAY = environment.UPLOAD_MB_A_DAY.number()
SIS_SYNC_FIRST_FILE_MB = environment.FIRST_FILE_MB.number()
SIS_SYNC_PLAN_SECONDS = environment.PLAN_SECONDS.number()
SIS_SYNC_FROZEN_SECONDS = environment.FROZEN_SECONDS.number()
SIS_SYNC_WRONG_PASSWORDS_OF_AN_ADDRESS = environment.WRONG_PASSWORDS_OF_AN_ADDRESS.number()
SIS_SYNC_WRONG_PASSWORDS_OF_A_PLACE = environment.WRONG_PASSWORDS_OF_A_PLACE.number()
SIS_SYNC_WRONG_PASSWORDS_IN_ALL = environment.WRONG_PASSWORDS_IN_ALL.number()

DEBUG = False
SECRET_KEY = read_or_make_secret_key(Path(environment.SECRET_KEY_FILE.text() or SIS_SYNC_DATA_FOLDER / "secret.key"))
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *environment.ALLOWED_HOSTS.words()]
DATABASES = {"default": database_settings(environment.DATABASE_URL.text(), SIS_SYNC_DATA_FOLDER)}
if isinstance(DATABASES["default"]["NAME"], Path):  # SQLite
    keep_to_owner(DATABASES["default"]["NAME"])
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "sis_sync.server.orgs",
    "sis_sync.server.accounts",
    "sis_sync.server.runs",
    "sis_sync.server.jobs",
    "sis_sync.server.audit",
    "sis_sync.server.keys",
    "sis_sync.server.api",
    "sis_sync.server.web",
]
MIDDLEWARE = [
    "sis_sync.server.middleware.answer_head",
    "sis_sync.server.middleware.refuse_plain_http",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "sis_sync.server.middleware.add_security_headers",
    "sis_sync.server.middleware.refuse_without_room",
    "sis_sync.server.middleware.show_wrong_method",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "sis_sync.server.sessions.end_idle_sessions",
    "sis_sync.server.large_bodies.judge_large_bodies",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "sis_sync.server.urls"
WSGI_APPLICATION = "sis_sync.server.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.Account"
AUTHENTICATION_BACKENDS = ["sis_sync.server.accounts.sign_in.SchoolSystemBackend"]
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # an e-mail address is unique only within a school system, so the backend needs the school system too
    # middleware.refuse_plain_http refuses plain HTTP. A redirect would come after the key or password was sent.
    "security.W008",
    # HSTS for subdomains and its preload list bind hosts that are not this server's: their owner decides in the proxy.
    "security.W005",
    "security.W021",
]
if not SIS_SYNC_BEHIND_PROXY:
    # Plain HTTP on this machine only: no TLS for HSTS to keep, and browsers would not send back a secure cookie.
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]
PASSWORD_HASHERS = ["sis_sync.server.accounts.hashing.BoundedArgon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("first_name", "last_name", "email", "custom_id")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "web:sign_in"
LOGIN_REDIRECT_URL = "web:home"
LOGOUT_REDIRECT_URL = "web:sign_in"

SESSION_ENGINE = "sis_sync.server.sessions"
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds from signing in, however often the session is used
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SIS_SYNC_BEHIND_PROXY
CSRF_COOKIE_SECURE = SIS_SYNC_BEHIND_PROXY
CSRF_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "sis_sync.server.web.sealed.SealedMessages"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SIS_SYNC_BEHIND_PROXY else None
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if SIS_SYNC_BEHIND_PROXY else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Write uploads straight to disk, because they may be larger than the memory.
FILE_UPLOAD_HANDLERS = ["sis_sync.server.middleware.UploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
# Not the system's temporary folder: here the worker removes what a killed process left.
FILE_UPLOAD_TEMP_DIR = made_data_folder(SIS_SYNC_DATA_FOLDER / "incoming")
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {
            "location": str(SIS_SYNC_DATA_FOLDER),
            "file_permissions_mode": 0o600,
        },
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # serve static files from the installed package, without collectstatic
WHITENOISE_MAX_AGE = 3600  # seconds

LOGGING = LOGGING_SETTINGS

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
