"""A stand-in for pydantic 2, which is native code and cannot be loaded in the sandbox.

Models, fields, constraints, validators, dumps and JSON schemas work as tools use them; messages of validation errors are
this runtime's own. What pydantic offers beyond that is not here.
"""

from . import types
from .adapter import RootModel, TypeAdapter, validate_call
from .config import ConfigDict
from .errors import PydanticUserError, ValidationError
from .fields import Field, FieldInfo, PrivateAttr, computed_field
from .model import BaseModel, create_model
from .types import *  # noqa: F403
from .validators import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    PlainValidator,
    WrapValidator,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
    root_validator,
    validator,
)

VERSION = __version__ = "2.12.0"
ValidationInfo = FieldValidationInfo = object
PydanticUndefined = ...

__all__ = [
    "AfterValidator", "BaseModel", "BeforeValidator", "ConfigDict", "Field", "FieldInfo", "PlainSerializer", "PlainValidator",
    "PrivateAttr", "PydanticUserError", "RootModel", "TypeAdapter", "ValidationError", "ValidationInfo", "WrapValidator",
    "computed_field", "create_model", "field_serializer", "field_validator", "model_serializer", "model_validator",
    "root_validator", "validate_call", "validator", *types.__all__,
]
