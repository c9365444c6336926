class Overdrawn(Exception):
    """Nobody has that much."""


def check(balance: int, amount: int) -> int:
    if amount > balance:
        raise Overdrawn(f"{amount} is more than {balance}")
    return balance - amount


def withdraw(amount: int) -> int:
    """
    Takes money.

    Args:
        amount (int): How much
    """
    print("checking")
    return check(100, amount)
