"""What the host offers, for tests outside of WebAssembly: memory blocks from a dictionary, no network."""

import dataclasses
import select
import sys
import time
import types

blocks = {}
writes = {}


class Err(Exception):
    """Never raised: nothing is sent."""


class HostError(Exception):
    """The host refused."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


@dataclasses.dataclass
class Block:
    """A memory block."""

    label: str
    value: str
    limit: int = 100


def sleep(seconds):
    """Blocks."""
    time.sleep(seconds)


def wait(sources, timeout):
    """Only timers are there to wait for."""
    assert not sources
    select.select([], [], [], timeout)
    return []


def get_block(label):
    """One block."""
    if label not in blocks:
        raise HostError("not-found", f"there is no block {label}")
    return Block(label, blocks[label])


def list_blocks():
    """All blocks."""
    return [get_block(label) for label in blocks]


def set_block(label, value):
    """Replaces a value."""
    if label == "locked":
        raise HostError("read-only", "the block locked is read-only")
    blocks[label] = writes[label] = value


def install():
    """Puts this module where the runtime looks for the host."""
    module = types.ModuleType("mneme_runtime.host")
    names = ("Err", "HostError", "sleep", "wait", "get_block", "list_blocks", "set_block")
    module.__dict__.update({name: globals()[name] for name in names})
    sys.modules["mneme_runtime.host"] = module
    import mneme_runtime

    mneme_runtime.host = module
