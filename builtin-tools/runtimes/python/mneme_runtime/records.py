"""JSON objects as objects with attributes."""


class Record:
    """A JSON object whose fields are attributes."""

    def __init__(self, fields):
        self.__dict__.update({name: record(value) for name, value in fields.items()})

    def __getitem__(self, name):
        return self.__dict__[name]

    def __contains__(self, name):
        return name in self.__dict__

    def get(self, name, default=None):
        """The field, or the default."""
        return self.__dict__.get(name, default)

    def model_dump(self, **_):
        """The object as JSON has it."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    to_dict = dict = model_dump

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.model_dump().items())})"

    def __eq__(self, other):
        return isinstance(other, Record) and self.__dict__ == other.__dict__


def record(value):
    """The value with every JSON object in it as a `Record`."""
    if isinstance(value, dict):
        return Record(value)
    if isinstance(value, list):
        return [record(item) for item in value]
    return value
