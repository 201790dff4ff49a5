import uuid

import django.contrib.postgres.functions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("history", "0003_text_is_text")]

    operations = [
        migrations.AddField(
            model_name="historyentry",
            name="uuid",
            field=models.UUIDField(
                db_default=django.contrib.postgres.functions.RandomUUID(),
                default=uuid.uuid4,
                editable=False,
                help_text="By what the entry is named outside.",
            ),
        ),
    ]
