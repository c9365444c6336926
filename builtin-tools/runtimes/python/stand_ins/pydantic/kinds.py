"""Values that have a form of their own in JSON."""

import base64
import enum
import ipaddress
import json
import math
import pathlib
import re
import typing

from mneme_runtime.misfits import misfit

from .fields import FieldInfo

T = typing.TypeVar("T")


class _Read:
    """In `Annotated`: what a text is read by before it is checked."""

    def __init__(self, read, said, kind):
        self._read, self._said, self._kind = read, said, kind

    def before_value(self, value):
        """What the text says."""
        try:
            return self._read(value)
        except (ValueError, TypeError):
            raise misfit(value, f"must be {self._said}", self._kind) from None


class _Checked:
    """In `Annotated`: a test that the value passes."""

    def __init__(self, holds, said, kind):
        self._holds, self._said, self._kind = holds, said, kind

    def after_value(self, value):
        """The value, if it passes."""
        if not self._holds(value):
            raise misfit(value, f"must be {self._said}", self._kind)
        return value


_JSON = _Read(json.loads, "JSON", "json_invalid")


class Json:
    """A text of JSON: `Json`, or `Json[list[int]]` for what has to come of it."""

    @classmethod
    def __class_getitem__(cls, wanted):
        return typing.Annotated[wanted, _JSON]

    @classmethod
    def convert_value(cls, value):
        """What the text says."""
        return _JSON.before_value(value)


def _decoded(value):
    return base64.b64decode(value, validate=True)


Base64Bytes = typing.Annotated[bytes, _Read(_decoded, "base64", "base64_decode")]
Base64Str = typing.Annotated[str, _Read(lambda value: _decoded(value).decode(), "base64", "base64_decode")]
FiniteFloat = typing.Annotated[float, _Checked(math.isfinite, "a finite number", "finite_number")]
FilePath = typing.Annotated[pathlib.Path, _Checked(pathlib.Path.is_file, "the path of a file", "path_not_file")]
DirectoryPath = typing.Annotated[pathlib.Path, _Checked(pathlib.Path.is_dir, "the path of a folder", "path_not_directory")]
NewPath = typing.Annotated[pathlib.Path, _Checked(lambda path: not path.exists(), "a path where nothing is", "path_exists")]
JsonValue = typing.Any


def _address(read, said):
    class Address:
        """An address of the internet."""

        json_schema_of_type = {"type": "string", "format": said.replace(" ", "")}

        @classmethod
        def convert_value(cls, value):
            """From text."""
            return _Read(read, f"an {said}", "ip_any").before_value(value)

    return Address


IPvAnyAddress = _address(ipaddress.ip_address, "ip address")
IPvAnyNetwork = _address(ipaddress.ip_network, "ip network")
IPvAnyInterface = _address(ipaddress.ip_interface, "ip interface")

_UNITS = {"b": 1} | {f"{letter}{ending}": base ** power for power, letter in enumerate("kmgtpe", 1)
                     for ending, base in (("b", 1000), ("ib", 1024), ("", 1000))}


class ByteSize(int):
    """A number of bytes, also as `10MB` or `4GiB`."""

    json_schema_of_type = {"type": "integer", "minimum": 0}

    @classmethod
    def convert_value(cls, value):
        """From a number, or from text with a unit."""
        found = re.fullmatch(r"\s*(\d*\.?\d+)\s*(\w*)\s*", str(value))
        unit = _UNITS.get(found[2].lower() or "b") if found else None
        if unit is None:
            raise misfit(value, "must be a size such as 10MB", "byte_size")
        return cls(float(found[1]) * unit)

    def human_readable(self, decimal=False, separator=""):
        """With the unit that fits."""
        base, size = (1000 if decimal else 1024), float(self)
        for letter in ("", "K", "M", "G", "T", "P"):
            if abs(size) < base:
                break
            size /= base
        unit = letter + ("" if decimal or not letter else "i") + "B"
        return f"{size:0.1f}{separator}{unit}" if letter else f"{int(size)}{separator}B"


class _Instance:
    def __init__(self, kind):
        self._kind = kind

    def plain_value(self, value):
        """The value, if it is one."""
        if not isinstance(value, self._kind):
            raise misfit(value, f"must be an instance of {self._kind.__name__}", "is_instance_of")
        return value


class _Unchecked:
    def plain_value(self, value):
        """The value."""
        return value


class InstanceOf:
    """`InstanceOf[Class]`: one that is made already."""

    @classmethod
    def __class_getitem__(cls, kind):
        return typing.Annotated[kind, _Instance(typing.get_origin(kind) or kind)]


class SkipValidation:
    """`SkipValidation[int]`: whatever is given."""

    plain_value = _Unchecked.plain_value

    @classmethod
    def __class_getitem__(cls, kind):
        return typing.Annotated[kind, _Unchecked()]


#: Say how a value is dumped, which it is anyway, and that a schema leaves it out.
SerializeAsAny = SkipJsonSchema = typing.Annotated[T, "as it is"]


class AllowInfNan:
    """In `Annotated`: whether numbers may be infinite, or none."""

    def __init__(self, allow_inf_nan=True):
        self._is_any = allow_inf_nan

    def after_value(self, value):
        """The value, if it may be."""
        if not self._is_any and not math.isfinite(value):
            raise misfit(value, "must be a finite number", "finite_number")
        return value


class Extra(str, enum.Enum):
    """What is done about values that are no fields, as version 1 had it."""

    allow = "allow"
    forbid = "forbid"
    ignore = "ignore"


class WithJsonSchema(FieldInfo):
    """In `Annotated`: the schema to show."""

    def __init__(self, json_schema, mode=None):
        super().__init__(json_schema_extra=json_schema)


__all__ = [
    "AllowInfNan", "Base64Bytes", "Base64Str", "ByteSize", "DirectoryPath", "Extra", "FilePath", "FiniteFloat", "IPvAnyAddress",
    "IPvAnyInterface", "IPvAnyNetwork", "InstanceOf", "Json", "JsonValue", "NewPath", "SerializeAsAny", "SkipJsonSchema",
    "SkipValidation", "WithJsonSchema",
]
