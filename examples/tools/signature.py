"""A tool in Python: the last function, its type hints and its docstring are all that the server needs."""

import hashlib
import hmac
import os


def sign(payload: str) -> str:
    """
    Sign a text with the agent's secret key.

    Args:
        payload (str): The text to sign.

    Returns:
        str: The signature in hexadecimal.
    """
    return hmac.new(os.environ["SIGNING_KEY"].encode(), payload.encode(), hashlib.sha256).hexdigest()
