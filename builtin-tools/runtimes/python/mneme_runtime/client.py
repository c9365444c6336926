"""The name `client` in every program: a client of the server that runs it, made when it is first used."""


class Lazy:
    """Stands for `letta_client.Letta()`."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        from letta_client import Letta

        made = Letta()
        object.__setattr__(self, "__dict__", made.__dict__)
        object.__setattr__(self, "__class__", Letta)
        return getattr(made, name)

    def __repr__(self):
        return "<client of this server>"
