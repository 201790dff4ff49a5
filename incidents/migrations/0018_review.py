from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0017_releases")]

    operations: list[migrations.operations.base.Operation] = []
