from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("incidents", "0026_duplicates_sooner")]

    operations = [
        migrations.AlterField(
            model_name="publishedtally",
            name="from_parts",
            field=models.BooleanField(
                help_text="Whether the civilian or the uncertain figure of the outcome is the lower "
                "bound that parts without a whole give."
            ),
        ),
    ]
