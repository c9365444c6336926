"""The stand-in for the official client, as far as it needs no server."""

import datetime
import json
import unittest

import prepare  # noqa: F401

import letta_client
from letta_client.routes import ROUTES
from mneme_runtime.records import Entity, record

_MESSAGE = {"id": "message-1", "message_type": "tool_call_message", "date": "2026-01-02T03:04:05+00:00", "tool_call": {"name": "f"}}


class Answers(unittest.TestCase):
    """What the server answers with."""

    def test_they_are_of_their_types(self):
        """Although the server does not say which."""
        from letta_client.types import AgentState, Message
        from letta_client.types.agents import AssistantMessage, ToolCallMessage
        from letta_client.types.agents.message_create_params import MessageCreate

        message, agent = record(_MESSAGE, Entity), record({"id": "agent-1"}, Entity)
        self.assertIsInstance(message, ToolCallMessage)
        self.assertIsInstance(message, Message)
        self.assertIsInstance(agent, AgentState)
        for wrong in (AssistantMessage, AgentState, MessageCreate):
            self.assertNotIsInstance(message, wrong)
        self.assertNotIsInstance({"id": "agent-1"}, AgentState)
        made = MessageCreate(role="user", content="hi")
        self.assertIsInstance(made, MessageCreate)
        self.assertNotIsInstance(made, Message)
        self.assertIs(letta_client.MessageCreate, MessageCreate)

    def test_types_of_the_first_server(self):
        """Have the same names in its own package, which has nothing else."""
        import letta_client.types
        from letta.schemas.agent import AgentState
        from letta.schemas.block import Block

        self.assertIs(AgentState, letta_client.types.AgentState)
        self.assertEqual(Block(label="a", value="b").label, "a")
        with self.assertRaises(ImportError):
            from letta import create_client  # noqa: F401
        with self.assertRaises(ModuleNotFoundError):
            import letta.server  # noqa: F401

    def test_they_have_times_and_a_form_in_json(self):
        """As models have."""
        message = record(_MESSAGE, Entity)
        self.assertEqual(message.date, datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc))
        self.assertEqual(json.loads(message.model_dump_json())["date"], "2026-01-02T03:04:05Z")
        self.assertEqual(message.model_dump(include={"tool_call"}), {"tool_call": {"name": "f"}})
        self.assertEqual((list(message.tool_call), dict(message.tool_call), len(record({}))), (["name"], {"name": "f"}, 0))
        self.assertEqual(record(_MESSAGE).date, _MESSAGE["date"], "what a model sends is left alone")

    def test_methods_have_the_names_of_both_generations(self):
        """The same requests."""
        for old, new in (
            ("agents.messages.summarize", "agents.messages.compact"), ("agents.blocks.modify", "agents.blocks.update"),
            ("agents.tools.modify_approval", "agents.tools.update_approval"), ("archives.list_archives", "archives.list"),
            ("agents.passages.modify", "agents.passages.update"), ("runs.stream", "runs.messages.stream"),
        ):
            self.assertEqual(ROUTES[old], ROUTES[new])


if __name__ == "__main__":
    unittest.main()
