"""Which way imports run, and what stands nowhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [
    path
    for folder in ("harmtracker", "sources", "incidents")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]

# Module prefix -> prefixes it may not import. The longest prefix that fits a module counts.
FORBIDDEN = {
    "harmtracker": ["sources", "incidents"],
    "sources": ["incidents"],
    "incidents.choices": ["incidents", "sources"],
    "incidents.querysets": [
        "incidents.models",
        "incidents.services",
        "incidents.workflow",
        "incidents.publishing",
        "incidents.admin",
        "incidents.api",
    ],
    "incidents.models": [
        "incidents.services",
        "incidents.workflow",
        "incidents.publishing",
        "incidents.admin",
        "incidents.api",
    ],
    # Both sides compare documents: neither records nor the door are at hand there.
    "incidents.comparing": [
        "incidents.models",
        "incidents.services",
        "incidents.workflow",
        "incidents.admin",
        "incidents.api",
        "incidents.publishing.changes",
        "incidents.publishing.document",
        "incidents.publishing.door",
        "incidents.publishing.ledger",
        "incidents.publishing.projection",
        "sources",
    ],
    "incidents.publishing": [
        "incidents.services",
        "incidents.workflow",
        "incidents.admin",
        "incidents.api",
    ],
    "incidents.services": ["incidents.admin", "incidents.api"],
    "incidents.workflow": ["incidents.admin", "incidents.api"],
    "incidents.admin": ["incidents.api"],
    # The public side reads what was published, over its own connection.
    "incidents.api.public": [
        "incidents.services",
        "incidents.workflow",
        "incidents.admin",
        "incidents.publishing",
        "incidents.querysets",
        "sources",
        "harmtracker.accounts",
        "harmtracker.history",
    ],
}
JOINS = {"harmtracker.urls"}
PUBLIC_MODELS = (
    "Published",
    "Ledger",
    "Redaction",
    "Release",
    "WeaponType",
)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Each imported module in full, with the names taken from it."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, []
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            names = [alias.name for alias in node.names]
            yield module, names
            for name in names:
                yield f"{module}.{name}", []


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_run_one_way(path: Path) -> None:
    module = module_name(path)
    if module in JOINS:
        return
    fits = [p for p in FORBIDDEN if module == p or module.startswith(p + ".")]
    if not fits:
        return
    rule = max(fits, key=len)
    for imported, _ in imports(path):
        for barred in FORBIDDEN[rule]:
            inside = imported == barred or imported.startswith(barred + ".")
            own = imported == rule or imported.startswith(rule + ".")
            assert not inside or own, f"{module} imports {imported}"


def test_the_public_side_names_published_models_alone() -> None:
    for path in (ROOT / "incidents" / "api" / "public").rglob("*.py"):
        for module, names in imports(path):
            if module == "incidents.models":
                assert all(name.startswith(PUBLIC_MODELS) for name in names), (path, names)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_no_import_hides_inside_a_function(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = [n for n in ast.walk(node) if isinstance(n, (ast.Import, ast.ImportFrom))]
            # An application is ready before its checks may be imported: Django's own order.
            assert not inner or path.name == "apps.py", f"{path}: {node.name}"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_no_serializer_or_form_publishes_by_accident(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef) and node.name == "Meta":
            for line in node.body:
                if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                    name = line.targets[0].id
                    assert name not in {"exclude", "depth"}, path
                    assert not (name == "fields" and isinstance(line.value, ast.Constant)), path


@pytest.mark.parametrize("name", ["utils.py", "helpers.py", "common.py", "misc.py", "signals.py"])
def test_no_module_without_an_idea(name: str) -> None:
    assert not [path for path in SOURCES if path.name == name]
