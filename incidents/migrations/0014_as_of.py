from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0013_rows")]

    operations: list[migrations.operations.base.Operation] = []
