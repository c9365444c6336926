import asyncio


async def gather(words: list[str]) -> str:
    """
    Shouts several words at once.

    Args:
        words (list[str]): The words
    """

    async def shout(word: str) -> str:
        await asyncio.sleep(0.01)
        return word.upper()

    return " ".join(await asyncio.gather(*(shout(word) for word in words)))
