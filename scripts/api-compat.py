#!/usr/bin/env python3
"""Write docs/API-COMPAT.md from the API's description and docs/api-compat.toml, or check that it is up to date.

    scripts/api-compat.py openapi.json            write
    scripts/api-compat.py openapi.json --check    exit with 1 when the file would change

Needs Python 3.11 or newer and nothing else.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
METHODS = ("get", "post", "put", "patch", "delete")

INTRODUCTION = """\
# Compatibility with the Letta V1 API

The operations that the API's description lists, and which of them this server answers. **done**: answers as
described, on SQLite and on Postgres. **planned**: answers 404 for now.

This page is generated: change `docs/api-compat.toml`, then run `scripts/api-compat.py openapi.json`.
"""

BEYOND = """\
## Beyond the description

Routes that `letta-client` calls though the description does not list them. The column names the client's major version.
**absent**: answers 404 with a sentence that says what this server does not have.

| method | path | client | state |
| --- | --- | --- | --- |
"""


def operations(spec):
    """Every operation as (resource, method, path, id), in the order of the description."""
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                operation = item[method]
                yield operation["tags"][0], method.upper(), path, operation["operationId"]


def check_names(known, compat):
    """Complain about ids that the description does not have: a typo would silently count as planned."""
    named = set(compat["done"]) | set(compat["notes"])
    unknown = sorted(named - known)
    if unknown:
        sys.exit(f"docs/api-compat.toml names operations that the API does not have: {', '.join(unknown)}")
    if len(set(compat["done"])) != len(compat["done"]):
        sys.exit("docs/api-compat.toml lists an operation twice")


def render(spec, compat):
    """The whole page as text."""
    resources = {}
    for resource, *operation in operations(spec):
        resources.setdefault(resource, []).append(operation)
    done = set(compat["done"])
    check_names({operation[2] for rows in resources.values() for operation in rows}, compat)
    total = sum(map(len, resources.values()))

    lines = [INTRODUCTION, f"**{len(done)} of {total} operations are done.**\n"]
    lines.append("| resource | done | of |\n| --- | --- | --- |")
    for resource, rows in resources.items():
        count = sum(name in done for _, _, name in rows)
        lines.append(f"| [{resource}](#{resource.lower()}) | {count} | {len(rows)} |")
    for resource, rows in resources.items():
        lines.append(f"\n## {resource}\n\n| method | path | operation | state | notes |\n| --- | --- | --- | --- | --- |")
        for method, path, name in rows:
            state = "**done**" if name in done else "planned"
            lines.append(f"| {method} | `{path}` | `{name}` | {state} | {compat['notes'].get(name, '')} |")
    lines.append("\n" + BEYOND.rstrip("\n"))
    for route in compat["beyond"]:
        state = "**done**" if route["state"] == "done" else route["state"]
        lines.append(f"| {route['method']} | `{route['path']}` | {route['known_to']} | {state} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", type=Path, help="the API's description, openapi.json")
    parser.add_argument("--check", action="store_true", help="change nothing, only compare")
    arguments = parser.parse_args()

    spec = json.loads(arguments.spec.read_text())
    compat = tomllib.loads((DOCS / "api-compat.toml").read_text())
    page = render(spec, compat)
    target = DOCS / "API-COMPAT.md"
    if not arguments.check:
        target.write_text(page)
        print(f"wrote {target}")
    elif not target.exists() or target.read_text() != page:
        sys.exit(f"{target} is out of date: run scripts/api-compat.py {arguments.spec}")


if __name__ == "__main__":
    main()
