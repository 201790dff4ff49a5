from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0010_index_shape")]

    operations: list = []
