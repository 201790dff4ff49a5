from django.apps import AppConfig


class HarmtrackerConfig(AppConfig):
    name = "harmtracker"

    def ready(self) -> None:
        from harmtracker import checks  # noqa: F401  (registers the system checks)
