"""`agent_state`: the calling agent, with a memory that a tool can edit."""

import json

from . import host, values
from .records import Entity, Record


class Memory:
    """The agent's memory blocks. What a tool changes here is written when it ends."""

    def __init__(self, blocks):
        self.blocks = blocks
        self._before = {block.label: block.value for block in blocks}

    def get_block(self, label):
        """The block, or None."""
        return next((block for block in self.blocks if block.label == label), None)

    def get_blocks(self):
        """All blocks."""
        return list(self.blocks)

    def list_block_labels(self):
        """Their labels."""
        return [block.label for block in self.blocks]

    def update_block_value(self, label, value):
        """Replaces the value of a block. Raises ValueError where there is none, or for a value that is no text."""
        if not isinstance(value, str):
            raise ValueError("The value of a memory block must be a string")
        block = self.get_block(label)
        if block is None:
            raise ValueError(f"There is no memory block {label!r}; the blocks are: {', '.join(self.list_block_labels())}")
        block.value = value

    def create_block(self, label, value="", description=None, limit=None, **_):
        """Adds a block; it is made and attached when the tool ends."""
        if self.get_block(label) is not None:
            raise ValueError(f"There is already a memory block {label!r}")
        block = Record({"label": label, "value": value, "description": description, "limit": limit})
        self.blocks.append(block)
        return block

    def set_block(self, block):
        """Adds the block, or takes its value over into the one with the same label."""
        known = self.get_block(block.label)
        if known is None:
            self.blocks.append(block)
        else:
            known.value = block.value

    def compile(self, *_, **__):
        """All blocks as one text."""
        return "\n".join(f"<{block.label}>\n{block.value}\n</{block.label}>" for block in self.blocks)

    def changed(self):
        """Blocks whose value is not what it was, and blocks that are new."""
        return [block for block in self.blocks if self._before.get(block.label) != block.value]

    def before(self, block):
        """The value that the block had when the tool started."""
        return self._before[block.label]

    def is_new(self, block):
        """Whether the agent has no such block yet."""
        return block.label not in self._before

    def model_dump(self, **options):
        """As JSON has it."""
        return {"blocks": [block.model_dump(**options) for block in self.blocks]}

    def __repr__(self):
        return f"Memory({self.list_block_labels()})"


class AgentState(Entity):
    """The calling agent."""


class Caller:
    """`self` of a tool that is written like a method of its agent, as the first servers had them."""

    def __init__(self, agent):
        self.agent_state = agent

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if self.agent_state is None:
            raise AttributeError(f"self.{name}: no agent called this tool")
        return getattr(self.agent_state, name)


def state(text):
    """The agent from its JSON, as the REST API shows it; None without one."""
    if text is None:
        return None
    fields = json.loads(text)
    blocks = (fields.get("memory") or {}).get("blocks") or fields.get("blocks") or []
    made = AgentState({name: value for name, value in fields.items() if name != "memory"})
    made.memory = Memory([Entity(block) for block in blocks])
    made.tags = fields.get("tags") or []
    return made


def write_back(agent):
    """Hands edits of the memory to the host. Raises `host.HostError` as the host words it."""
    if agent is None or not isinstance(getattr(agent, "memory", None), Memory):
        return
    for block in agent.memory.changed():
        if agent.memory.is_new(block):
            _create(agent, block)
        elif host.get_block(block.label).value != agent.memory.before(block):
            raise host.HostError("conflict", f"the memory block {block.label!r} changed while this tool ran")
        else:
            host.set_block(block.label, values.whole(block.value))


def _create(agent, block):
    from letta_client import Letta

    fields = {name: getattr(block, name, None) for name in ("label", "value", "description", "limit")}
    server = Letta()
    made = server.blocks.create(**{name: value for name, value in fields.items() if value is not None})
    server.agents.blocks.attach(agent_id=agent.id, block_id=made.id)
