"""Time zones from memory: the files of `tzdata` are not on disk when a program runs."""

import io
from importlib import resources

_data = {}


def bake():
    """Reads every zone, and makes zoneinfo and dateutil take them from here; pytz likewise."""
    import tzdata

    root = resources.files(tzdata) / "zoneinfo"
    names = (root.parent / "zones").read_text("utf-8").split()
    for name in names:
        _data[name] = root.joinpath(*name.split("/")).read_bytes()
    _zoneinfo(names)
    _dateutil()
    _pytz()


def _zoneinfo(names):
    import zoneinfo
    from zoneinfo import _common, _tzpath

    def load(key):
        if key not in _data:
            raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}")
        return io.BytesIO(_data[key])

    _common.load_tzdata = load
    _tzpath.available_timezones = zoneinfo.available_timezones = lambda: set(names)


def _dateutil():
    from dateutil import _tzdata_impl

    def load(key):
        if key not in _data:
            raise ValueError(f"No time zone found with key {key}")
        return io.BytesIO(_data[key])

    _tzdata_impl._load_tzdata = load
    _tzdata_impl._load_tzdata_keys = lambda: list(_data)


def _pytz():
    import pytz

    # Its reader wants the older of the two tables in a file, which tzdata leaves out; so it keeps files of its own.
    files = {}
    for name in pytz._all_timezones_unchecked:
        with pytz.open_resource(name) as file:
            files[name] = file.read()
    for name in ("zone.tab", "iso3166.tab", "zone1970.tab"):
        with pytz.open_resource(name) as file:
            files[name] = file.read()
    pytz.open_resource = lambda name: io.BytesIO(files[name])
    pytz.resource_exists = lambda name: name in files
