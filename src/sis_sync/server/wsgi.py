"""The WSGI application that the web process serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from sis_sync.server.lock_wait import wait_briefly
from sis_sync.server.middleware import Request, refuse_other_encodings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sis_sync.server.settings")
wait_briefly(settings.DATABASES["default"])

django_application = get_wsgi_application()
django_application.request_class = Request
application = refuse_other_encodings(django_application)
