"""Agents from a template, and a token for an end user's program, with letta-client 1.x (Python).

    python3 -m venv .venv && .venv/bin/pip install -r requirements-1x.txt
    .venv/bin/python templates_and_tokens_1x.py

MNEME_BASE_URL   the server (default http://localhost:8283)
MNEME_TOKEN      a password or API key, when the server wants one
MNEME_MODEL      a model handle; default: the first that the server lists
"""

import os
import sys

from letta_client import AuthenticationError, Letta, NotFoundError, PermissionDeniedError

BASE_URL = os.environ.get("MNEME_BASE_URL", "http://localhost:8283")
NAME = "tea-shop"


def expect(condition, complaint):
    if not condition:
        sys.exit(f"not as expected: {complaint}")


def refused(error, call):
    """Whether a call fails with this error."""
    try:
        call()
    except error:
        return True
    return False


client = Letta(base_url=BASE_URL, api_key=os.environ.get("MNEME_TOKEN"))
model = os.environ.get("MNEME_MODEL") or next((entry.handle for entry in client.models.list()), None)
expect(model, "the server lists no models; set a provider key such as OPENAI_API_KEY where it runs")

made = []
try:
    origin = client.agents.create(
        name="tea-shop-origin",
        model=model,
        memory_blocks=[
            {"label": "persona", "value": "I sell tea and answer briefly."},
            {"label": "human", "value": "The customer is called {{customer}}."},
        ],
    )
    made.append(origin.id)
    template = client.templates.create(type="agent", agent_id=origin.id, name=NAME)
    expect(template.latest_version == "1", f"the first version is called {template.latest_version}")
    print(f"Made the template {template.name} from {origin.id}.")

    for customer in ("Ada", "Ben"):
        answer = client.templates.agents.create(
            template_version=f"{NAME}:latest", agent_name=f"tea-for-{customer}", memory_variables={"customer": customer}
        )
        expect(len(answer.agent_ids) == 1, f"{answer.agent_ids} came out of one template")
        made += answer.agent_ids
        human = client.agents.blocks.retrieve("human", agent_id=answer.agent_ids[0])
        expect(human.value == f"The customer is called {customer}.", f"the block says {human.value}")
        print(f"    an agent of its own: {human.value}")
    ada, ben = made[1:]

    token = client.access_tokens.create(
        hostname="https://tea.example.com",
        policy=[{"type": "agent", "id": ada, "access": ["read_messages", "write_messages"]}],
    )
    # A browser on the shop's page would also say where it is; the server lets it in once `cors_origins` names the page.
    page = Letta(base_url=BASE_URL, api_key=token.token)
    answer = page.agents.messages.create(ada, input="Which tea is calming?")
    said = [message.content for message in answer.messages if message.message_type == "assistant_message"]
    expect(said, "the agent said nothing")
    print(f"With Ada's token: {said[-1]}")

    expect(refused(PermissionDeniedError, lambda: list(page.agents.messages.list(ben))), "Ada's token reads Ben's agent")
    expect(refused(PermissionDeniedError, lambda: list(page.agents.list())), "a token lists all agents")
    expect(refused(PermissionDeniedError, lambda: page.agents.delete(ada)), "a token deletes its agent")
    elsewhere = Letta(base_url=BASE_URL, api_key=token.token, default_headers={"origin": "https://evil.example"})
    expect(refused(PermissionDeniedError, lambda: list(elsewhere.agents.messages.list(ada))), "another site may use it")
    print("    and nothing beside her own agent's messages.")

    client.access_tokens.delete(token.token, body={})
    expect(refused(AuthenticationError, lambda: list(page.agents.messages.list(ada))), "a deleted token still opens")

    client.templates.delete(NAME)
    missing = lambda: client.templates.agents.create(template_version=f"{NAME}:latest")
    expect(refused(NotFoundError, missing), "the deleted template is still there")
    expect(client.agents.retrieve(ben).name == "tea-for-Ben", "an agent went with its template")
finally:
    for agent in made:
        client.agents.delete(agent)

print("Everything was as expected.")
