from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0014_as_of")]

    operations: list[migrations.operations.base.Operation] = []
