from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0009_ids_come_back")]

    operations: list = []
