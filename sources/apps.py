from django.apps import AppConfig


class SourcesConfig(AppConfig):
    name = "sources"
    # Constraint -> what to tell the person, for those that migrations write in SQL.
    sql_rules = {
        "sources_article_not_in_the_future": "An article cannot have appeared in the future.",
        "sources_confidentialsource_is_sealed": "An identity is encrypted before it is stored.",
    }
