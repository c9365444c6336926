"""The API's description: its operations, and what is wrong with an answer.

It knows those words of JSON Schema that are in the description, and stops at any other.
"""

import json
import re
from dataclasses import dataclass

METHODS = ("get", "post", "put", "patch", "delete")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
# All words that a schema may have; one that is not here would go unchecked.
WORDS = {
    "$ref", "type", "enum", "properties", "required", "items", "additionalProperties", "oneOf", "format", "description",
    "default", "title", "example", "examples", "deprecated", "discriminator", "readOnly", "allOf", "minimum", "propertyNames",
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    # Schemas of good answers by their status; none for an answer that is no JSON.
    answers: dict


class Description:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.document = json.load(file)
        self.operations = {}
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                if method in METHODS:
                    good = {status: answer for status, answer in operation["responses"].items() if status[0] == "2"}
                    answers = {
                        status: answer.get("content", {}).get("application/json", {}).get("schema")
                        for status, answer in good.items()
                    }
                    self.operations[operation["operationId"]] = Operation(method.upper(), path, answers)

    def names(self):
        return set(self.operations)

    def operation(self, name):
        return self.operations[name]

    def faults(self, schema, value, place="$"):
        """What of a value is not as its schema has it."""
        unknown = set(schema) - WORDS
        if unknown:
            raise ValueError(f"{place}: schemas with {', '.join(sorted(unknown))} are not understood")
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            yield from self.faults(self.document["components"]["schemas"][name], value, place)
        # The members of unions overlap, so one that fits is enough.
        if "oneOf" in schema:
            attempts = [list(self.faults(one, value, place)) for one in schema["oneOf"]]
            if all(attempts):
                yield min(attempts, key=len)[0] + f" (and {len(attempts) - 1} others do not fit)"
        for one in schema.get("allOf", []):
            yield from self.faults(one, value, place)
        if "type" in schema:
            kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
            if not any(is_a(kind, value) for kind in kinds):
                yield f"{place} is {shown(value)} and no {' or '.join(kinds)}"
                return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place} is {shown(value)} and none of {shown(schema['enum'])}"
        if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
            yield f"{place} is {shown(value)} and less than {schema['minimum']}"
        if schema.get("format") == "date-time" and isinstance(value, str) and not TIME.fullmatch(value):
            yield f"{place} is {shown(value)} and no time"
        if isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                yield from self.faults(schema["items"], item, f"{place}[{index}]")
        if isinstance(value, dict):
            yield from self.faults_of_fields(schema, value, place)

    def faults_of_fields(self, schema, value, place):
        fields = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place} has no {name}"
        others = schema.get("additionalProperties", True)
        for name, field in value.items():
            yield from self.faults(schema.get("propertyNames", {}), name, f"the name {name} in {place}")
            if name in fields:
                yield from self.faults(fields[name], field, f"{place}.{name}")
            elif others is False:
                yield f"{place} has {name}, which is not described"
            elif isinstance(others, dict):
                yield from self.faults(others, field, f"{place}.{name}")


def is_a(kind, value):
    if kind in ("integer", "number"):
        whole = isinstance(value, int) or isinstance(value, float) and value.is_integer()
        return not isinstance(value, bool) and (whole or kind == "number" and isinstance(value, float))
    return isinstance(value, TYPES[kind])


def shown(value):
    text = json.dumps(value)
    return text if len(text) < 120 else text[:120] + "…"
