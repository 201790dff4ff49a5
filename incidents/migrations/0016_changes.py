from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0015_totals")]

    operations: list[migrations.operations.base.Operation] = []
