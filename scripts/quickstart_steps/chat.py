"""An agent and a conversation with it, over the server's REST API."""

import json
import os
import sys
import urllib.error
import urllib.request

from . import LOCAL, Trouble

# Small models on a processor take their time before the first word.
READ_SECONDS = 600
DIM, PLAIN = ("\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "")
PREFERRED = ("openai/gpt-4.1-mini", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-20250514", "google_ai/gemini-2.5-flash")

PERSONA = "I am Mo, a friendly assistant with a memory that lasts."
HUMAN = "I know nothing about the user yet."
# A long prompt would cost a small model on a processor a minute, and confuse it.
COMPACT_SYSTEM = "You are Mo, a friendly assistant. Answer in one or two short sentences."

SCRIPT = ("Hello! What is your name?", "What is the capital of France?")


def find_or_create_agent(url, provider, wanted):
    """The agent of an earlier run, on a model that is there today, or a new one.

    An agent of the fetched model is kept apart from one of a capable model: it was made with a prompt of its own.
    """
    name = "first-agent" if provider.capable else "first-agent-small"
    handles = [entry["handle"] for entry in request(url, "GET", "/v1/models/")]
    if not handles:
        raise Trouble("The server lists no models: the provider's key or address may be wrong.")
    model = wanted or next((handle for handle in PREFERRED if handle in handles), handles[0])
    found = request(url, "GET", f"/v1/agents/?name={name}")
    if found:
        agent = found[0]
        if wanted or agent.get("model") not in handles:
            agent = request(url, "PATCH", f"/v1/agents/{agent['id']}", {"model": model})
        return describe(agent)
    body = {
        "name": name,
        "agent_type": "letta_v1_agent",
        "model": model,
        "memory_blocks": [{"label": "persona", "value": PERSONA}, {"label": "human", "value": HUMAN}],
    }
    embeddings = [entry["handle"] for entry in request(url, "GET", "/v1/models/embedding")]
    if embeddings:
        body["embedding"] = embeddings[0]
    if not provider.capable:
        body |= {"system": COMPACT_SYSTEM, "memory_blocks": [], "include_base_tools": False, "max_tokens": 120}
    return describe(request(url, "POST", "/v1/agents/", body))


def describe(agent):
    config = agent.get("llm_config") or {}
    return {"id": agent["id"], "name": agent["name"], "model": agent.get("model") or config.get("handle") or config.get("model")}


def interactive(url, agent_id):
    """Talks until the user ends it."""
    print("Type a message and press Enter; /quit or Ctrl-D ends the conversation.\n")
    while True:
        try:
            text = input("you> ").strip()
        except EOFError:
            print()
            return
        if text in ("/quit", "/exit"):
            return
        if text:
            say(url, agent_id, text)


def scripted(url, agent_id):
    """Says two lines and insists on an answer to each."""
    for text in SCRIPT:
        print(f"you> {text}")
        if not say(url, agent_id, text).strip():
            raise Trouble("The agent gave no answer.")


def say(url, agent_id, text):
    """Sends a message, prints the answer as it streams in, and returns what the agent said."""
    body = {"messages": [{"role": "user", "content": text}], "stream_tokens": True}
    said, printing = "", None
    for event in stream(url, f"/v1/agents/{agent_id}/messages/stream", body):
        kind = event.get("message_type")
        if kind == "assistant_message":
            piece = event["content"] if isinstance(event["content"], str) else "".join(p.get("text", "") for p in event["content"])
            said += piece
        elif kind == "reasoning_message":
            piece = event["reasoning"]
        else:
            report(event, printing)
            printing = None
            continue
        if printing != kind:
            print(("\n" if printing else "") + ("mo> " if kind == "assistant_message" else f"{DIM}    thinks: "), end="")
            printing = kind
        print(piece, end="", flush=True)
    if printing:
        print(PLAIN)
    print()
    return said


def report(event, printing):
    """Shows what happens between the words: tool calls, their results, errors."""
    kind = event.get("message_type")
    if kind == "tool_call_message":
        call = event["tool_call"]
        # In a stream of tokens only the first piece of a call names the tool.
        if call.get("name"):
            print(("\n" if printing else "") + f"{DIM}    calls {call['name']}{PLAIN}")
    elif kind == "tool_return_message":
        print(f"{DIM}    {event['status']}{PLAIN}")
    elif kind == "error_message" or "error" in event:
        raise Trouble(f"The turn failed: {event.get('message') or event.get('error')}")


def stream(url, path, body):
    """The JSON events of a server-sent-event answer."""
    for line in send(url, "POST", path, body):
        data = line.decode().strip()
        if data == "data: [DONE]":
            return
        if data.startswith("data: "):
            yield json.loads(data[len("data: ") :])


def request(url, method, path, body=None):
    with send(url, method, path, body) as answer:
        return json.load(answer)


def send(url, method, path, body):
    headers = {"content-type": "application/json"}
    password = os.environ.get("MNEME_PASSWORD") or os.environ.get("LETTA_SERVER_PASSWORD")
    if password:
        headers["authorization"] = f"Bearer {password}"
    data = None if body is None else json.dumps(body).encode()
    try:
        return LOCAL.open(urllib.request.Request(url + path, data, headers, method=method), timeout=READ_SECONDS)
    except urllib.error.HTTPError as error:
        raise Trouble(f"{method} {path} was refused with {error.code}: {error.read().decode(errors='replace')}") from None
    except OSError as error:
        raise Trouble(f"{method} {path} failed: {error}") from None
