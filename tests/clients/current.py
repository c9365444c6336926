"""Walks through letta-client 1.x (Python) and stops at the first surprise.

The client checks every answer against its own types; items of lists, which it takes unseen, are checked here.
"""

import io
import json
import os
import sys
import time

from letta_client import (
    APIStatusError,
    BadRequestError,
    ConflictError,
    Letta,
    NotFoundError,
    UnprocessableEntityError,
)

MODEL = os.environ["MNEME_MODEL"]
EMBEDDING = os.environ["MNEME_EMBEDDING"]
NOBODY = "agent-00000000-0000-4000-8000-000000000000"
ROLL = '''def roll(sides: int) -> str:
    """Rolls a die.

    Args:
        sides (int): How many sides it has.
    """
    return f"a {sides} was rolled"
'''

client = Letta(
    base_url=os.environ["MNEME_BASE_URL"], api_key="none", max_retries=0, _strict_response_validation=True
)


def expect(condition, complaint):
    if not condition:
        sys.exit(f"not as expected: {complaint}")


def refused(error, call):
    """Makes a call that has to fail with this error; returns the error."""
    try:
        call()
    except error as caught:
        return caught
    sys.exit(f"not as expected: no {error.__name__}")


def walked(what, listing, least=3):
    """The items of a list, the same in one page and in many."""

    def keys(limit):
        found = []
        for item in listing(limit):
            type(item).model_validate(item.to_dict())
            found.append((item.id, getattr(item, "message_type", None)))
            expect(len(found) <= 200, f"the list of {what} does not end")
        return found

    whole = keys(100)
    expect(len(whole) >= least, f"{len(whole)} {what}")
    expect(len(set(whole)) == len(whole), f"{what} come twice: {whole}")
    expect(keys(2) == whole, f"{what} come otherwise in pages: {keys(2)}, not {whole}")
    return whole


def until(what, probe):
    deadline = time.monotonic() + 30
    while True:
        found = probe()
        if found:
            return found
        expect(time.monotonic() < deadline, f"{what} takes too long")
        time.sleep(0.05)


# Tools
tool = client.tools.create(source_code=ROLL, tags=["games"], description="Rolls a die of any kind.")
expect(client.tools.retrieve(tool.id).name == "roll", "a tool is not what was made")
expect(client.tools.update(tool.id, return_char_limit=500).return_char_limit == 500, "a tool is not changed")
expect(client.tools.search(query="die", limit=3)[0].tool.id == tool.id, "a tool is not found by its words")
walked("tools", lambda limit: client.tools.list(limit=limit))
print("Tools are made, changed, listed and found.")

# Agents and blocks
agents = [
    client.agents.create(
        name=f"agent-{number}",
        model=MODEL,
        embedding=EMBEDDING,
        tools=["roll"],
        tags=["walk"],
        secrets={"KEY": "value"},
        memory_blocks=[{"label": "human", "value": "Ada."}, {"label": "persona", "value": "A friend."}],
    )
    for number in range(3)
]
agent = agents[0].id
for order in ("asc", "desc"):
    walked("agents", lambda limit: client.agents.list(limit=limit, tags=["walk"], order=order))
full = client.agents.retrieve(agent, include=["agent.blocks", "agent.tools", "agent.tags", "agent.secrets"])
expect({block.label for block in full.blocks} == {"human", "persona"}, f"blocks are {full.blocks}")
expect(client.agents.update(agent, description="Rolls.").description == "Rolls.", "an agent is not changed")
shared = client.blocks.create(label="house", value="Two cats.", tags=["home"])
client.agents.blocks.attach(shared.id, agent_id=agent)
walked("blocks of an agent", lambda limit: client.agents.blocks.list(agent, limit=limit))
expect([one.id for one in client.blocks.agents.list(shared.id)] == [agent], "a block does not know its agent")
client.agents.blocks.update("house", agent_id=agent, value="Three cats.")
expect("Three cats." in client.agents.recompile(agent, dry_run=True), "a prompt is not written from memory")
walked("tools of an agent", lambda limit: client.agents.tools.list(agent, limit=limit))
expect("7" in client.agents.tools.run("roll", agent_id=agent, args={"sides": 7}).func_return, "a tool does not run")
expect([str(tag) for tag in client.tags.list(name="walk")] == ["walk"], "tags are not listed")
print("Agents and their blocks are made, changed and listed.")

# Messages, whole and streamed
answer = client.agents.messages.create(agent, input="Hello")
expect(answer.messages[-1].message_type == "assistant_message", f"an answer is {answer.messages}")
called = client.agents.messages.create(agent, messages=[{"role": "user", "content": 'CALL roll {"sides": 6}'}])
kinds = [message.message_type for message in called.messages]
expect("tool_call_message" in kinds and "tool_return_message" in kinds, f"a tool's turn is {kinds}")
events = list(client.agents.messages.create(agent, input="Stream this", streaming=True, stream_tokens=True))
expect([event.message_type for event in events[-2:]] == ["stop_reason", "usage_statistics"], f"a stream ends {events}")
turn = [{"role": "user", "content": "Go on without me"}]
events = list(client.agents.messages.stream(agent, messages=turn, background=True, include_pings=True))
run = next(event.run_id for event in events if getattr(event, "run_id", None))
again = list(client.runs.messages.stream(run, starting_after=0))
expect([one.message_type for one in again] == [one.message_type for one in events], f"a resumed stream is {again}")
later = client.agents.messages.create_async(agent, input="Take your time")
until("a run", lambda: client.runs.retrieve(later.id).status == "completed")

for order in ("asc", "desc"):
    walked("messages", lambda limit: client.agents.messages.list(agent, limit=limit, order=order), least=10)
walked("messages", lambda limit: client.agents.messages.list(agent, limit=limit), least=10)
users = client.agents.messages.list(agent, limit=3, include_return_message_types=["user_message"])
expect({message.message_type for message in users} == {"user_message"}, "other kinds of messages were not left out")
expect(client.messages.list(limit=1)[0].id, "the messages of all agents are not listed")
expect(client.messages.search(query="stream", agent_id=agent), "a message is not found")
print("Messages are sent, streamed, resumed and listed.")

# What runs left behind
walked("runs", lambda limit: client.runs.list(limit=limit, agent_id=agent))
walked("messages of a run", lambda limit: client.runs.messages.list(run, limit=limit), least=2)
steps = walked("steps", lambda limit: client.steps.list(limit=limit, agent_id=agent))
walked("messages of a step", lambda limit: client.steps.messages.list(steps[0][0], limit=limit), least=1)
expect(client.runs.usage.retrieve(run).total_tokens > 0, "a run cost nothing")
expect(client.runs.trace.retrieve(run)[0]["SpanName"] == "run", "a run is not told as spans")
client.steps.metrics.retrieve(steps[0][0])
client.steps.trace.retrieve(steps[0][0])
expect(client.steps.feedback.create(steps[0][0], feedback="positive").feedback == "positive", "no feedback is kept")
print("Runs and steps are told.")

# A person who decides
client.agents.tools.update_approval("roll", agent_id=agent, body_requires_approval=True)
for approve in (True, False):
    asked = client.agents.messages.create(agent, input='CALL roll {"sides": 6}')
    expect(asked.stop_reason.stop_reason == "requires_approval", f"it ended by {asked.stop_reason}")
    refused(ConflictError, lambda: client.agents.messages.create(agent, input="Are you there?"))
    call = asked.messages[-1].tool_call.tool_call_id
    verdict = {"type": "approval", "tool_call_id": call, "approve": approve, "reason": "I say so"}
    done = client.agents.messages.create(agent, messages=[{"type": "approval", "approvals": [verdict]}])
    expect(done.stop_reason.stop_reason == "end_turn", f"it ended by {done.stop_reason}")
client.agents.tools.update_approval("roll", agent_id=agent, body_requires_approval=False)
smaller = client.agents.messages.compact(agent)
expect(smaller.num_messages_after < smaller.num_messages_before, f"a summary made {smaller}")
walked("messages", lambda limit: client.agents.messages.list(agent, limit=limit), least=10)
print("Calls are approved and denied, and a history is summed up.")

# Archives
archives = [client.archives.create(name=f"archive-{number}") for number in range(3)]
walked("archives", lambda limit: client.archives.list(limit=limit))
client.archives.passages.create(archives[0].id, text="Mars is red.", tags=["planet"])
expect(client.passages.search(query="Mars", archive_id=archives[0].id), "a passage is not found")
client.agents.passages.create(agent, text="The moon is grey.")
expect(client.agents.passages.search(agent, query="moon").count == 1, "an agent's passage is not found")
client.archives.delete(archives[2].id)
refused(NotFoundError, lambda: client.archives.retrieve(archives[2].id))
print("Archives are filled, searched and deleted.")

# Folders and files
folder = client.folders.create(name="papers", embedding=EMBEDDING)
refused(ConflictError, lambda: client.folders.create(name="papers", embedding=EMBEDDING))
for name in ("a.txt", "b.md", "c.txt"):
    client.folders.files.upload(folder.id, file=(name, io.BytesIO(f"The text of {name}.".encode()), "text/plain"))
until(
    "reading files",
    lambda: {file.processing_status for file in client.folders.files.list(folder.id)} == {"completed"},
)
files = walked("files of a folder", lambda limit: client.folders.files.list(folder.id, limit=limit))
client.agents.folders.attach(folder.id, agent_id=agent)
walked("files of an agent", lambda limit: client.agents.files.list(agent, limit=limit))
client.agents.files.open(files[0][0], agent_id=agent)
expect(client.agents.files.close_all(agent), "no file was open")
content = client.folders.files.retrieve(files[0][0], folder_id=folder.id, include_content=True).content
expect("The text of" in content, f"a file holds {content}")
print("Files are uploaded, read, opened and closed.")

# Agent files
file = client.agents.export_file(agent)
expect(json.loads(file)["agents"][0]["name"] == "agent-0", "an agent file does not name its agent")
copies = client.agents.import_file(file=("agent.af", file.encode(), "application/json"), override_name="copy").agent_ids
expect(client.agents.retrieve(copies[0]).name == "copy", "an imported agent has another name")
refused(BadRequestError, lambda: client.agents.import_file(file=b"no agent"))
print("An agent is exported and imported.")

# What goes wrong
refused(NotFoundError, lambda: client.agents.retrieve(NOBODY))
refused(UnprocessableEntityError, lambda: client.agents.retrieve("nobody"))
refused(UnprocessableEntityError, lambda: client.agents.messages.create(agent, messages=[{"role": "x", "content": ""}]))
for lacking, call in {
    "conversations": lambda: client.conversations.list(),
    "environments": lambda: client.environments.list(),
    "schedule": lambda: client.agents.schedule.list(agent),
}.items():
    error = refused(APIStatusError, call)
    expect(error.status_code == 404 and lacking in str(error), f"the lack of {lacking} is told as {error}")
client.agents.delete(agent)
refused(NotFoundError, lambda: client.agents.delete(agent))
print("Everything was as expected.")
