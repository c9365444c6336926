def hello(name):
    """A greeting."""
    return f"Hello, {name}"
