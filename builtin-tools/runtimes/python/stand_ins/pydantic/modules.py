"""Where the original keeps its parts: programs import them from there."""

import json
import sys
import types

from . import dump
from .errors import PydanticCustomError, ValidationError

#: Modules whose names the package itself has.
_WHOLE = (
    "alias_generators", "annotated_handlers", "class_validators", "error_wrappers", "functional_serializers", "functional_validators",
    "json_schema", "main", "networks", "root_model", "tools", "type_adapter", "v1", "version", "warnings",
)


def install(package):
    """Makes them importable."""
    for name in _WHOLE:
        sys.modules[f"{package.__name__}.{name}"] = package
    for name in ("fields", "errors", "main", "types", "generics"):
        sys.modules[f"{package.__name__}.v1.{name}"] = package
    for part in (package.config, package.errors, package.fields, package.generics, package.types):
        for name in package.__all__:
            part.__dict__.setdefault(name, getattr(package, name))
    core = types.ModuleType("pydantic_core")
    core.__dict__.update(
        PydanticCustomError=PydanticCustomError, PydanticUndefined=..., ValidationError=ValidationError, __version__="2.41.1",
        core_schema=types.ModuleType("pydantic_core.core_schema"), from_json=from_json, to_json=to_json,
        to_jsonable_python=to_jsonable_python, Url=package.AnyUrl,
    )
    sys.modules["pydantic_core"] = core
    sys.modules["pydantic_core.core_schema"] = core.core_schema


def from_json(data, **_):
    """What JSON text says."""
    return json.loads(data)


def to_json(value, *, indent=None, **options):
    """The value as JSON, in bytes."""
    plain = to_jsonable_python(value, **options)
    return json.dumps(plain, indent=indent, separators=None if indent else (",", ":"), ensure_ascii=False).encode()


def to_jsonable_python(value, **options):
    """The value in the types that JSON has."""
    known = {name: option for name, option in options.items() if name in dump.Options.__dataclass_fields__}
    return dump.plain(value, dump.Options(**{**known, "mode": "json"}))
