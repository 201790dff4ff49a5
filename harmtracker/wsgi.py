"""What the server runs. It refuses to start unsafely, in one line."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "harmtracker.settings")
os.environ["HARMTRACKER_IS_SERVER"] = "1"
os.environ.pop("DATABASE_OWNER_URL", None)

from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()

from harmtracker.checks import refusals  # noqa: E402  (after the applications are set up)
from harmtracker.garbage import look_seldom  # noqa: E402
from harmtracker.working import Working  # noqa: E402

application = Working(django_application)

if refused := refusals():
    sys.exit("\n".join(f"harmtracker does not start: {line}" for line in refused))

look_seldom()
