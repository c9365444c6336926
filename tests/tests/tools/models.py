"""A JSON API over the network."""
import requests


def count_models(url: str) -> str:
    """
    Counts what a model provider offers.

    Args:
        url (str): Its address
    """
    answer = requests.get(f"{url}/models", headers={"Authorization": "Bearer test"}, timeout=10)
    answer.raise_for_status()
    return f"{len(answer.json()['data'])} models, {answer.headers['content-type'].split(';')[0]}"
