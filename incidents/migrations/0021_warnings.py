from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("incidents", "0020_key_counts")]

    operations = []
