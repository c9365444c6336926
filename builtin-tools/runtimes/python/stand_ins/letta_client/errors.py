"""What the client raises."""


class APIError(Exception):
    """Something went wrong with a request."""

    def __init__(self, message, body=None):
        super().__init__(message)
        self.message = message
        self.body = body


class APIConnectionError(APIError):
    """There was no answer."""


class APITimeoutError(APIConnectionError):
    """The answer took too long."""


class APIStatusError(APIError):
    """The server refused."""

    def __init__(self, message, body=None, status_code=0):
        super().__init__(message, body)
        self.status_code = status_code


class BadRequestError(APIStatusError):
    """400"""


class AuthenticationError(APIStatusError):
    """401"""


class PermissionDeniedError(APIStatusError):
    """403"""


class NotFoundError(APIStatusError):
    """404"""


class ConflictError(APIStatusError):
    """409"""


class UnprocessableEntityError(APIStatusError):
    """422"""


class RateLimitError(APIStatusError):
    """429"""


class InternalServerError(APIStatusError):
    """5xx"""


_BY_STATUS = {
    400: BadRequestError, 401: AuthenticationError, 403: PermissionDeniedError, 404: NotFoundError, 409: ConflictError,
    422: UnprocessableEntityError, 429: RateLimitError,
}


def of_status(status, body):
    """The error for an answer."""
    kind = _BY_STATUS.get(status, InternalServerError if status >= 500 else APIStatusError)
    detail = body.get("detail", body) if isinstance(body, dict) else body
    return kind(f"Error code: {status} - {detail}", body, status)
