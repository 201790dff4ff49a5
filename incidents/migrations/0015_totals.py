import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('incidents', '0014_as_of'),
    ]

    operations = [
        migrations.CreateModel(
            name='PublishedGroupValue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dimension', models.CharField(help_text='weapon, weapon_group, actor or dataset.', max_length=20)),
                ('value', models.CharField(max_length=240)),
                ('role', models.CharField(help_text="Of an actor's involvement.", max_length=40, null=True)),
                ('certainty', models.CharField(help_text='Of that, or of the weapon.', max_length=40, null=True)),
                ('is_alternative', models.BooleanField(help_text='Whether it is this one or another.')),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='group_values', to='incidents.publishedincident')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('incident', 'dimension', 'value', 'role', 'certainty'), name='incidents_publishedgroupvalue_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='PublishedPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dimensions', models.CharField(help_text='Names of columns, with spaces between.', max_length=60)),
                ('outcome', models.CharField(max_length=40)),
                ('bucket', models.CharField(max_length=40)),
                ('status', models.CharField(max_length=40, null=True)),
                ('role', models.CharField(max_length=40, null=True)),
                ('sex', models.CharField(max_length=40, null=True)),
                ('age_group', models.CharField(max_length=40, null=True)),
                ('affiliation', models.CharField(help_text='Id of the actor.', max_length=40, null=True)),
                ('min', models.IntegerField(null=True)),
                ('best', models.IntegerField(null=True)),
                ('max', models.IntegerField(null=True)),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='incidents.publishedincident')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('incident', 'dimensions', 'outcome', 'bucket', 'status', 'role', 'sex', 'age_group', 'affiliation'), name='incidents_publishedpart_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='PublishedTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(help_text='Null: it counts nobody.', max_length=40, null=True)),
                ('first', models.BooleanField(help_text='One row of each version is: counted, they are versions.')),
                ('valid_from', models.BigIntegerField()),
                ('valid_until', models.BigIntegerField(null=True)),
                ('left_out', models.CharField(help_text='Why it is in no total: aggregate_count or duplicate.', max_length=20, null=True)),
                ('ended_by', models.CharField(help_text='retracted or merged, where that closed it.', max_length=20, null=True)),
                ('date_earliest', models.DateField(null=True)),
                ('date_latest', models.DateField(null=True)),
                ('month_from', models.IntegerField(help_text='Months since the year 0.', null=True)),
                ('month_until', models.IntegerField(null=True)),
                ('week_from', models.IntegerField(help_text='Weeks since Monday, 0001-01-01.', null=True)),
                ('week_until', models.IntegerField(null=True)),
                ('country', models.CharField(max_length=3, null=True)),
                ('adm1', models.CharField(help_text='P-code, or id where it has none.', max_length=40, null=True)),
                ('adm2', models.CharField(max_length=40, null=True)),
                ('adm3', models.CharField(max_length=40, null=True)),
                ('place', models.CharField(max_length=40, null=True)),
                ('grading', models.CharField(max_length=40)),
                ('from_parts', models.BooleanField(help_text='Whether a figure of the outcome is the lower bound that parts without a whole give.')),
                ('civilian_given', models.BooleanField(default=False)),
                ('civilian_min', models.IntegerField(null=True)),
                ('civilian_best', models.IntegerField(null=True)),
                ('civilian_max', models.IntegerField(null=True)),
                ('uncertain_given', models.BooleanField(default=False)),
                ('uncertain_min', models.IntegerField(null=True)),
                ('uncertain_best', models.IntegerField(null=True)),
                ('uncertain_max', models.IntegerField(null=True)),
                ('protected_given', models.BooleanField(default=False)),
                ('protected_min', models.IntegerField(null=True)),
                ('protected_best', models.IntegerField(null=True)),
                ('protected_max', models.IntegerField(null=True)),
                ('combatant_given', models.BooleanField(default=False)),
                ('combatant_min', models.IntegerField(null=True)),
                ('combatant_best', models.IntegerField(null=True)),
                ('combatant_max', models.IntegerField(null=True)),
                ('all_given', models.BooleanField(default=False)),
                ('all_min', models.IntegerField(null=True)),
                ('all_best', models.IntegerField(null=True)),
                ('all_max', models.IntegerField(null=True)),
                ('incident', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='incidents.publishedincident')),
            ],
            options={
                'verbose_name_plural': 'published tallies',
                'indexes': [models.Index(condition=models.Q(('left_out__isnull', False)), fields=['left_out'], name='tally_left_out'), models.Index(condition=models.Q(('ended_by__isnull', False)), fields=['ended_by'], name='tally_ended'), models.Index(condition=models.Q(('month_from__isnull', True), ('month_until__isnull', False)), fields=['month_until'], name='tally_open_beginning')],
                'constraints': [models.UniqueConstraint(fields=('incident', 'outcome'), name='incidents_publishedtally_once', nulls_distinct=False), models.UniqueConstraint(condition=models.Q(('first', True)), fields=('incident',), name='incidents_publishedtally_one_first')],
            },
        ),
    ]
