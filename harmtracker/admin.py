from django.contrib import admin

from harmtracker.admin_base import ViewOnlyAdmin
from harmtracker.models import Code

admin.site.site_header = admin.site.site_title = "harmtracker"
admin.site.index_title = "The team's desk"
admin.site.site_url = None
# Nothing evidential is deleted, and least of all by the dozen.
admin.site.disable_action("delete_selected")


@admin.register(Code)
class CodeAdmin(ViewOnlyAdmin):
    list_display = ["list", "code", "label", "parent", "definition"]
    list_filter = ["list"]
    search_fields = ["list", "code", "label", "definition"]
