"""Unions whose members a field, or a function, tells apart."""

import typing

from mneme_runtime.misfits import misfit


class Tag:
    """In `Annotated`: what a `Discriminator` calls this member."""

    def __init__(self, tag):
        self.tag = tag


class Discriminator:
    """In `Annotated`: what tells the members of the union apart, the name of a field or a function of the value."""

    def __init__(self, discriminator, **_):
        self.discriminator = discriminator

    def narrowed(self, value, wanted):
        """The member that is meant and its tag; the union itself, and no tag, when the value is none of them."""
        return narrowed(self.discriminator, value, wanted)


def narrowed(discriminator, value, wanted):
    """The member of the union that the value is meant to be, and its tag."""
    discriminator = getattr(discriminator, "discriminator", discriminator)
    arms = list(_arms(wanted))
    if value is None and type(None) in arms:
        return wanted, None
    known = {}
    for arm in arms:
        for tag in _tags(arm, discriminator):
            known.setdefault(tag, arm)
    tag = discriminator(value) if callable(discriminator) else _tag(value, discriminator, arms)
    shown = "a function" if callable(discriminator) else repr(discriminator)
    if tag is ... or tag is None:
        raise misfit(value, f"has nothing at {shown}, which tells what it is", "union_tag_not_found")
    tag = getattr(tag, "value", tag)
    if tag not in known:
        raise misfit(value, f"has {tag!r} at {shown}: must be one of {', '.join(map(repr, known))}", "union_tag_invalid")
    return known[tag], tag


def _arms(wanted):
    if hasattr(wanted, "model_fields"):
        yield wanted
        return
    for arm in typing.get_args(wanted):
        bare = typing.get_args(arm)[0] if typing.get_origin(arm) is typing.Annotated else arm
        tagged = typing.get_origin(arm) is typing.Annotated and any(isinstance(note, Tag) for note in arm.__metadata__)
        # A union in a union, unless it is one member with a tag.
        inner = () if tagged or hasattr(bare, "model_fields") else tuple(_arms(bare))
        if inner:
            yield from inner
        else:
            yield arm


def _tags(arm, discriminator):
    if typing.get_origin(arm) is typing.Annotated:
        tags = [note.tag for note in arm.__metadata__ if isinstance(note, Tag)]
        if tags:
            return tags
        arm = typing.get_args(arm)[0]
    field = None if callable(discriminator) else getattr(arm, "model_fields", {}).get(discriminator)
    return [] if field is None else [getattr(tag, "value", tag) for tag in typing.get_args(field.annotation)]


def _tag(value, name, arms):
    if not isinstance(value, dict):
        return getattr(value, name, ...)
    if name in value:
        return value[name]
    fields = (getattr(arm, "model_fields", {}).get(name) for arm in arms)
    return next((value[field.alias] for field in fields if field is not None and field.alias in value), ...)
