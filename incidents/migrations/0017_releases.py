from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0016_changes")]

    operations: list[migrations.operations.base.Operation] = []
