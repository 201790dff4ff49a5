from django.apps import AppConfig


class HistoryConfig(AppConfig):
    name = "harmtracker.history"
    label = "history"
    verbose_name = "History"
    # Constraint -> what to tell the person, for those that migrations write in SQL.
    sql_rules = {
        "history_text_is_text": "A text holds a character that no text has (a control character "
        "other than tab and line breaks, or U+FFFE or U+FFFF): take it out.",
    }
