"""A stand-in for pydantic 2, which is native code and cannot be loaded in the sandbox.

Models, fields, constraints, validators, dumps and JSON schemas work as tools use them, in the words of both versions;
messages of validation errors are this runtime's own. What pydantic offers beyond that is not here.
"""

import sys

from . import dataclasses, generics, kinds, modules, times, types
from .adapter import RootModel, TypeAdapter, validate_call
from .aliases import AliasChoices, AliasGenerator, AliasPath, to_camel, to_pascal, to_snake  # noqa: F401
from .config import ConfigDict
from .creation import create_model
from .errors import PydanticCustomError, PydanticUserError, ValidationError  # noqa: F401
from .fields import Field, FieldInfo, PrivateAttr, computed_field
from .kinds import *  # noqa: F403
from .model import BaseModel
from .times import *  # noqa: F403
from .types import *  # noqa: F403
from .unions import Discriminator, Tag
from .validators import (
    AfterValidator,
    BeforeValidator,
    Info,
    PlainSerializer,
    PlainValidator,
    WrapSerializer,
    WrapValidator,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
    root_validator,
    validator,
)

VERSION = __version__ = "2.12.0"
PydanticUndefined = Undefined = ...
ValidationInfo = FieldValidationInfo = Info
validate_arguments = validate_call
parse_obj_as = TypeAdapter.parsed_as
generics.GenericModel = BaseModel
#: Named in annotations.
SerializationInfo = FieldSerializationInfo = GetCoreSchemaHandler = GetJsonSchemaHandler = ModelWrapValidatorHandler = object
SerializerFunctionWrapHandler = ValidatorFunctionWrapHandler = GenerateJsonSchema = JsonSchemaValue = object


class PydanticDeprecatedSince20(DeprecationWarning):
    """Never given: what version 1 had works."""


PydanticDeprecationWarning = PydanticDeprecatedSince20

__all__ = [
    "AfterValidator", "AliasChoices", "AliasGenerator", "AliasPath", "BaseModel", "BeforeValidator", "ConfigDict", "Discriminator",
    "Field", "FieldInfo", "FieldSerializationInfo", "GetCoreSchemaHandler", "GetJsonSchemaHandler", "ModelWrapValidatorHandler",
    "PlainSerializer", "PlainValidator", "PrivateAttr", "PydanticUndefined", "PydanticUserError", "RootModel", "SerializationInfo",
    "SerializerFunctionWrapHandler", "Tag", "TypeAdapter", "ValidationError", "ValidationInfo", "ValidatorFunctionWrapHandler",
    "WrapSerializer", "WrapValidator", "computed_field", "create_model", "field_serializer", "field_validator", "model_serializer",
    "model_validator", "parse_obj_as", "root_validator", "validate_call", "validator", *kinds.__all__, *times.__all__,
    *types.__all__,
]

modules.install(sys.modules[__name__])
