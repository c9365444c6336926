"""How a model is configured."""


def ConfigDict(**settings):
    """The settings of a model, for `model_config`."""
    return settings


#: Names that version 1 had, and what they are called now.
_RENAMED = {
    "allow_population_by_field_name": "populate_by_name",
    "anystr_strip_whitespace": "str_strip_whitespace",
    "orm_mode": "from_attributes",
    "schema_extra": "json_schema_extra",
    "allow_mutation": "frozen",
}


def of_class(old):
    """The settings of an inner `class Config`."""
    settings = {name: value for name, value in vars(old).items() if not name.startswith("_")}
    for name, now in _RENAMED.items():
        if name in settings:
            value = settings.pop(name)
            settings[now] = not value if name == "allow_mutation" else value
    extra = settings.get("extra")
    if extra is not None and not isinstance(extra, str):
        settings["extra"] = extra.value
    return settings
