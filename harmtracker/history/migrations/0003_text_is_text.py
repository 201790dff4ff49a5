from django.db import migrations

# The row as JSON writes a control character as \b, \f or \u00 and two digits, except for those
# from U+007F on; a backslash of the text itself is doubled. Tab and line breaks are \t, \n and \r.
# Compared by code point (COLLATE "C"), which is the quickest way.
# NOT VALID: what was recorded before cannot be altered, and must not stop the migration.
ADD = r"""
ALTER TABLE history_historyentry ADD CONSTRAINT history_text_is_text CHECK (
    after::text COLLATE "C" !~ '(?:^|[^\\])(?:\\\\)*\\(?:[bf]|u00[01])|[\u007f-\u009f\ufffe\uffff]'
    AND reason COLLATE "C" !~ '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]'
) NOT VALID;
"""


class Migration(migrations.Migration):
    """Evidence holds no text that a reader, an export or a form could not hold."""

    dependencies = [("history", "0002_rules")]

    operations = [
        migrations.RunSQL(
            ADD, "ALTER TABLE history_historyentry DROP CONSTRAINT history_text_is_text;"
        ),
    ]
