"""Types with constraints of their own."""

import datetime
import decimal
import re
import typing
import uuid
from urllib.parse import urlsplit

from mneme_runtime.misfits import misfit

from .fields import FieldInfo

T = typing.TypeVar("T")


def _with(kind, **constraints):
    return typing.Annotated[kind, FieldInfo(**constraints)]


def conint(*, gt=None, ge=None, lt=None, le=None, multiple_of=None, **_):
    """An integer within bounds."""
    return _with(int, gt=gt, ge=ge, lt=lt, le=le, multiple_of=multiple_of)


def confloat(*, gt=None, ge=None, lt=None, le=None, multiple_of=None, **_):
    """A number within bounds."""
    return _with(float, gt=gt, ge=ge, lt=lt, le=le, multiple_of=multiple_of)


def constr(*, min_length=None, max_length=None, pattern=None, regex=None, **_):
    """A text within bounds."""
    return _with(str, min_length=min_length, max_length=max_length, pattern=pattern or regex)


def conbytes(*, min_length=None, max_length=None, **_):
    """Bytes within bounds."""
    return _with(bytes, min_length=min_length, max_length=max_length)


def conlist(item_type, *, min_length=None, max_length=None, min_items=None, max_items=None, **_):
    """A list within bounds."""
    return _with(list[item_type], min_length=min_length or min_items, max_length=max_length or max_items)


def conset(item_type, *, min_length=None, max_length=None, **_):
    """A set within bounds."""
    return _with(set[item_type], min_length=min_length, max_length=max_length)


def confrozenset(item_type, *, min_length=None, max_length=None, **_):
    """A frozen set within bounds."""
    return _with(frozenset[item_type], min_length=min_length, max_length=max_length)


def condecimal(*, gt=None, ge=None, lt=None, le=None, multiple_of=None, max_digits=None, decimal_places=None, **_):
    """A decimal number within bounds."""
    bounds = {"gt": gt, "ge": ge, "lt": lt, "le": le, "multiple_of": multiple_of}
    return _with(decimal.Decimal, **bounds, max_digits=max_digits, decimal_places=decimal_places)


def condate(*, gt=None, ge=None, lt=None, le=None, **_):
    """A date within bounds."""
    return _with(datetime.date, gt=gt, ge=ge, lt=lt, le=le)


class Strict:
    """In `Annotated`: no conversion from another type."""

    def __init__(self, strict=True):
        self.strict = strict

    def wrap_value(self, value, inner):
        """The value, if it has the type."""
        return inner(value, exact=True) if self.strict else inner(value)


class SecretStr:
    """A text that is not printed."""

    json_schema_of_type = {"type": "string", "format": "password", "writeOnly": True}

    def __init__(self, value):
        self._value = value

    @classmethod
    def convert_value(cls, value):
        """From text."""
        if not isinstance(value, str):
            raise misfit(value, "must be a string", "string_type")
        return cls(value)

    def get_secret_value(self):
        """The text."""
        return self._value

    def json_value(self):
        """What a dump shows."""
        return str(self)

    def __eq__(self, other):
        return type(other) is type(self) and self._value == other._value

    def __hash__(self):
        return hash(self._value)

    def __len__(self):
        return len(self._value)

    def __str__(self):
        return "**********" if self._value else ""

    def __repr__(self):
        return f"{type(self).__name__}({str(self)!r})"


class SecretBytes(SecretStr):
    """Bytes that are not printed."""

    @classmethod
    def convert_value(cls, value):
        """From bytes, or from text."""
        if not isinstance(value, (str, bytes)):
            raise misfit(value, "must be a string", "bytes_type")
        return cls(value.encode() if isinstance(value, str) else value)


class EmailStr(str):
    """An e-mail address."""

    json_schema_of_type = {"type": "string", "format": "email"}

    @classmethod
    def convert_value(cls, value):
        """From text."""
        if not isinstance(value, str) or not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", value):
            raise misfit(value, "must be an e-mail address", "value_error")
        return value


class AnyUrl(str):
    """An address on the web."""

    json_schema_of_type = {"type": "string", "format": "uri"}
    schemes: typing.ClassVar = None

    @classmethod
    def convert_value(cls, value):
        """From text."""
        parts = urlsplit(value) if isinstance(value, str) else None
        if parts is None or not parts.scheme or cls.schemes and (parts.scheme not in cls.schemes or not parts.hostname):
            raise misfit(value, "must be a URL", "url_parsing")
        return cls(value)

    scheme = property(lambda self: urlsplit(self).scheme)
    host = property(lambda self: urlsplit(self).hostname)
    port = property(lambda self: urlsplit(self).port)
    path = property(lambda self: urlsplit(self).path)
    query = property(lambda self: urlsplit(self).query or None)


class UrlConstraints:
    """In `Annotated`: what an address must be like."""

    def __init__(self, max_length=None, allowed_schemes=None, host_required=None, **_):
        self.max_length, self.allowed_schemes, self.host_required = max_length, allowed_schemes, host_required

    def after_value(self, value):
        """The address, if it is."""
        if self.max_length is not None and len(value) > self.max_length:
            raise misfit(value, f"must have at most {self.max_length} characters", "url_too_long")
        if self.allowed_schemes and value.scheme not in self.allowed_schemes:
            raise misfit(value, f"must begin with {' or '.join(self.allowed_schemes)}", "url_scheme")
        if self.host_required and not value.host:
            raise misfit(value, "must name a host", "url_parsing")
        return value


class AnyHttpUrl(AnyUrl):
    """An address that starts with http:// or https://."""

    schemes = ("http", "https")


HttpUrl = AnyHttpUrl
PostgresDsn = MySQLDsn = RedisDsn = MongoDsn = AmqpDsn = AnyWebsocketUrl = WebsocketUrl = FileUrl = FtpUrl = AnyUrl
PositiveInt = conint(gt=0)
NegativeInt = conint(lt=0)
NonNegativeInt = conint(ge=0)
NonPositiveInt = conint(le=0)
PositiveFloat = confloat(gt=0)
NegativeFloat = confloat(lt=0)
NonNegativeFloat = confloat(ge=0)
NonPositiveFloat = confloat(le=0)
StrictStr = typing.Annotated[str, Strict()]
StrictInt = typing.Annotated[int, Strict()]
StrictFloat = typing.Annotated[float, Strict()]
StrictBool = typing.Annotated[bool, Strict()]
StrictBytes = typing.Annotated[bytes, Strict()]
UUID1 = UUID3 = UUID4 = UUID5 = uuid.UUID


class StringConstraints(FieldInfo):
    """In `Annotated[str, …]`: what the text must be like."""

    def __init__(self, *, strip_whitespace=False, to_lower=False, to_upper=False, **given):
        super().__init__(**given)
        self._change = [change for wanted, change in ((strip_whitespace, str.strip), (to_lower, str.lower), (to_upper, str.upper))
                        if wanted]

    def before_value(self, value):
        """The text in the wanted form."""
        for change in self._change if isinstance(value, str) else ():
            value = change(value)
        return value


__all__ = [
    "AmqpDsn", "AnyHttpUrl", "AnyUrl", "AnyWebsocketUrl", "EmailStr", "FileUrl", "FtpUrl", "HttpUrl", "MongoDsn", "MySQLDsn",
    "NegativeFloat", "NegativeInt", "NonNegativeFloat", "NonNegativeInt", "NonPositiveFloat", "NonPositiveInt", "PositiveFloat",
    "PositiveInt", "PostgresDsn", "RedisDsn", "SecretBytes", "SecretStr", "Strict", "StrictBool",
    "StrictBytes", "StrictFloat", "StrictInt", "StrictStr", "StringConstraints", "UUID1", "UUID3", "UUID4", "UUID5",
    "UrlConstraints", "WebsocketUrl",
    "conbytes", "condate", "condecimal", "confloat", "confrozenset", "conint", "conlist", "conset", "constr",
]
