from django.contrib import admin
from django.contrib.auth import admin as _of_groups  # noqa: F401  (registers what goes here)
from django.contrib.auth.models import Group
from django_otp.plugins.otp_static.admin import StaticDevice
from django_otp.plugins.otp_totp.admin import TOTPDevice

from .events import SecurityEventAdmin
from .people import PersonAdmin
from .tokens import TokenAdmin

__all__ = ["PersonAdmin", "SecurityEventAdmin", "TokenAdmin"]

# The groups are those of `accounts.groups`, written by migrate. A second factor is enrolled and
# reset; nobody reads or writes its secrets.
admin.site.unregister([Group, TOTPDevice, StaticDevice])
