from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"
    # Constraint -> what to tell the person, for those that migrations write in SQL.
    sql_rules = {
        "incidents_incident_date_not_in_the_future": "An incident cannot lie in the future.",
        "incidents_claim_date_not_in_the_future": "A source cannot speak of a day that is not yet.",
        "incidents_place_pcode_of_myanmar": "This is not a P-code of Myanmar for this level, such "
        "as MMR001, MMR001D001 or MMR001001.",
        "incidents_importbatch_sha256_is_hex": "A SHA-256 is 64 hexadecimal digits, lower case.",
        "incidents_importedrow_hash": "The hash of what was imported is that of its bytes.",
    }
    # The field at fault, where such a rule is of one.
    sql_rule_fields = {
        "incidents_incident_date_not_in_the_future": "date_edtf",
        "incidents_claim_date_not_in_the_future": "date_said",
        "incidents_place_pcode_of_myanmar": "pcode",
    }
