"""A stand-in for the official client: the server's REST API for programs in the sandbox.

Methods and arguments are named as in both generations of the official client; answers are objects with attributes.
"""

import sys

from .client import AsyncLetta, BaseTool, Letta
from .errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnprocessableEntityError,
)
from .types import Model, __getattr__  # noqa: F401

ApiError = APIStatusError
LettaError = APIError
Client = Letta

__version__ = "1.12.1"
__all__ = [
    "APIConnectionError", "APIError", "APIStatusError", "APITimeoutError", "ApiError", "AsyncLetta", "AuthenticationError",
    "BadRequestError", "BaseTool", "Client", "ConflictError", "InternalServerError", "Letta", "LettaError", "Model", "NotFoundError", "PermissionDeniedError",
    "RateLimitError", "UnprocessableEntityError",
]

# Where the older client keeps its errors.
sys.modules["letta_client.core"] = sys.modules["letta_client.core.api_error"] = sys.modules[__name__]
