"""An agent that remembers, with letta-client 0.x (Python).

    python3 -m venv .venv && .venv/bin/pip install -r requirements-0x.txt
    .venv/bin/python quickstart_0x.py

MNEME_BASE_URL   the server (default http://localhost:8283)
MNEME_TOKEN      a password or API key, when the server wants one
MNEME_MODEL      a model handle; default: the first that the server lists
MNEME_EMBEDDING  an embedding handle; default: the first that the server lists, none when it lists none
"""

import os
import sys

import httpx
from letta_client import CreateBlock, Letta, MessageCreate
from letta_client.core.api_error import ApiError

BASE_URL = os.environ.get("MNEME_BASE_URL", "http://localhost:8283")
TOKEN = os.environ.get("MNEME_TOKEN")


def expect(condition, complaint):
    if not condition:
        sys.exit(f"not as expected: {complaint}")


def user(text):
    return [MessageCreate(role="user", content=text)]


def embedding_handle():
    # This SDK drops the answer of its own call for embedding models, so ask the server directly.
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
    answer = httpx.get(f"{BASE_URL}/v1/models/embedding", headers=headers)
    answer.raise_for_status()
    return next((entry["handle"] for entry in answer.json()), None)


def show(message):
    """Print one message of a turn the way a log would."""
    kind = message.message_type
    if kind == "tool_call_message":
        print(f"    calls {message.tool_call.name}({message.tool_call.arguments})")
    elif kind == "tool_return_message":
        print(f"    {message.status}: {message.tool_return}")
    elif kind == "assistant_message":
        print(f"    says: {message.content}")
    elif kind == "reasoning_message":
        print(f"    thinks: {message.reasoning}")


client = Letta(base_url=BASE_URL, token=TOKEN)

health = client.health.check()
print(f"Server {health.version} at {BASE_URL} is {health.status}.")
expect(health.status == "ok", f"health says {health.status}")

model = os.environ.get("MNEME_MODEL") or next((entry.handle for entry in client.models.list()), None)
expect(model, "the server lists no models; set a provider key such as OPENAI_API_KEY where it runs")
embedding = os.environ.get("MNEME_EMBEDDING") or embedding_handle()

optional = {"embedding": embedding} if embedding else {}
agent = client.agents.create(
    name="quickstart-0x-python",
    model=model,
    memory_blocks=[
        CreateBlock(label="persona", value="My name is Mo. I am a friendly assistant and I answer briefly."),
        CreateBlock(label="human", value="I know nothing about the user yet."),
    ],
    **optional,
)
print(f"Created {agent.id} on {model} with the tools {', '.join(tool.name for tool in agent.tools)}.")

try:
    print("\nOne question, one answer:")
    greeting = "Hello! Who are you?"
    answer = client.agents.messages.create(agent_id=agent.id, messages=user(greeting))
    for message in answer.messages:
        show(message)
    said = [message for message in answer.messages if message.message_type == "assistant_message"]
    expect(said and said[-1].content, "the agent said nothing")
    expect(answer.stop_reason.stop_reason == "end_turn", f"the turn ended with {answer.stop_reason.stop_reason}")
    print(f"    ({answer.usage.total_tokens} tokens in {answer.usage.step_count} step(s))")

    print("\nA stream of steps, while the agent edits its memory:")
    fact = "Please remember this in your memory: my name is Ada and I like green tea."
    kinds = []
    for event in client.agents.messages.create_stream(agent_id=agent.id, messages=user(fact)):
        kinds.append(event.message_type)
        show(event)
    expect("tool_call_message" in kinds, "the model did not call a memory tool; a stronger model will")
    expect(kinds[-2:] == ["stop_reason", "usage_statistics"], f"the stream ended with {kinds[-2:]}")

    human = client.agents.blocks.retrieve(agent_id=agent.id, block_label="human")
    print(f"\nThe block 'human' now says:\n    {human.value}")
    expect("Ada" in human.value, "the memory block does not mention Ada")

    print("\nA stream of tokens:")
    question = "Tell me in one sentence what you know about me."
    pieces = []
    for event in client.agents.messages.create_stream(agent_id=agent.id, messages=user(question), stream_tokens=True):
        if event.message_type == "assistant_message":
            pieces.append(event.content)
            print(event.content, end="|", flush=True)
    print()
    expect(len(pieces) > 1, f"{len(pieces)} piece(s) came instead of a stream of tokens")

    print("\nThe history that the server keeps:")
    # The server lists the newest first unless told otherwise, and this SDK has no parameter of its own to tell it.
    oldest_first = {"additional_query_parameters": {"order": "asc"}}
    history = client.agents.messages.list(agent_id=agent.id, limit=100, request_options=oldest_first)
    for message in history:
        print(f"    {message.date:%H:%M:%S}  {message.message_type}")
    asked = [message.content for message in history if message.message_type == "user_message"]
    # Agents of the older architectures begin with a few messages of their own.
    expect(asked[-3:] == [greeting, fact, question], f"the history holds {asked}")
    answered = [message.content for message in history if message.message_type == "assistant_message"]
    expect("".join(pieces) == answered[-1], "the streamed answer is not the last in the history")
finally:
    client.agents.delete(agent_id=agent.id)

try:
    client.agents.retrieve(agent_id=agent.id)
    sys.exit("not as expected: the deleted agent is still there")
except ApiError as error:
    expect(error.status_code == 404, f"the deleted agent answers {error.status_code}")
print("\nDeleted the agent. Everything was as expected.")
