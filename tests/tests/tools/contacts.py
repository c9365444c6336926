import re

PHONE = re.compile(r"\+?\d[\d -]{6,}\d")


def contacts(text: str) -> list:
    """Finds addresses and phone numbers.

    Args:
        text: Where to look
    """
    return sorted(set(re.findall(r"[\w.+-]+@[\w-]+\.[\w.]+", text))) + [number.strip() for number in PHONE.findall(text)]
