from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "harmtracker.accounts"
    label = "accounts"
