from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    """Django's admin, entered by our own door."""

    default_site = "harmtracker.accounts.site.Desk"
