import pytest
from django.db import connections


@pytest.mark.parametrize("table", ["incidents_ledgerentry", "incidents_publishedversion"])
@pytest.mark.parametrize("alias", ["default", "owner"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET code = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_ledger_and_documents_only_grow_whoever_asks(
    committed: None, table: str, alias: str, statement: str
) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        before = cursor.fetchone()
        with pytest.raises(Exception, match=r"permission denied|only grow"):
            cursor.execute(statement.format(table))
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone() == before
