from django.apps import AppConfig


class HistoryConfig(AppConfig):
    name = "harmtracker.history"
    label = "history"
    verbose_name = "History"
