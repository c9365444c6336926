"""Asks nearly every operation of the API's description for a good answer, and holds the answers against their schemas.

The description is `openapi.json`, named by MNEME_SPEC. The messages say what the model is to do: `CALL tool {...}` has
it make a call first, `SLEEP` keeps it from answering. Every answer that differs is told, and so is every operation that
nobody asked.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from schema import Description

BASE = os.environ["MNEME_BASE_URL"]
MODEL = os.environ["MNEME_MODEL"]
EMBEDDING = os.environ["MNEME_EMBEDDING"]
MCP = os.environ["MNEME_MCP_URL"]
# Streams are no JSON, and this route is that of another operation under another name.
UNASKED = {
    "agents.messages.create-stream", "groups.messages.create-stream", "runs.stream", "tools.connect-mcp-server",
    "mcpServers.mcp-connect-mcp-server", "templates.agents.create",
}
# What is described as a text is the file itself, as clients expect and the retired server answered.
OTHERWISE = {"agents.export-file"}
ROLL = '''def roll(sides: int) -> str:
    """Rolls a die.

    Args:
        sides (int): How many sides it has.
    """
    return f"a {sides} was rolled"
'''
PROJECT = "default-project"

described = Description(os.environ["MNEME_SPEC"])
asked, faults = set(), []


def send(method, path, query=None, body=None, form=None):
    """Status and body of a request."""
    headers = {}
    data = None
    if form is not None:
        name, content = form
        head = f'--part\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        data = head.encode() + content + b"\r\n--part--\r\n"
        headers["content-type"] = "multipart/form-data; boundary=part"
    elif body is not None:
        data = json.dumps(body).encode()
        headers["content-type"] = "application/json"
    url = BASE + path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def call(name, /, query=None, body=None, form=None, **places):
    """The answer to an operation; what is wrong with it is noted."""
    operation = described.operation(name)
    path = operation.path
    for place, value in places.items():
        path = path.replace("{" + place + "}", urllib.parse.quote(value, safe=":"))
    if "{" in path:
        sys.exit(f"{name}: {path} is not filled in")
    status, text = send(operation.method, path, query, body, form)
    asked.add(name)
    if str(status) not in operation.answers:
        faults.append(f"{name}: {status} instead of {', '.join(operation.answers)}: {text[:300]}")
        return None
    value = json.loads(text) if text else None
    schema = operation.answers[str(status)]
    # An empty answer is none: 204 has no body, whatever its schema says.
    if schema is not None and text and name not in OTHERWISE:
        faults.extend(f"{name}: {fault}" for fault in described.faults(schema, value))
    return value


def until(what, probe):
    for _ in range(600):
        found = probe()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"{what} did not come to pass")


def user(text):
    return {"messages": [{"role": "user", "content": text}]}


def make_agent(**more):
    return call("agents.create", body={"agent_type": "letta_v1_agent", "model": MODEL, "embedding": EMBEDDING, **more})


def insert(text):
    return user("CALL memory_insert " + json.dumps({"label": "human", "new_str": text}))


def agents():
    """Agents, their memory, their tools and what they say."""
    block = {"label": "human", "value": "I am Ada.", "description": "Who it is.", "limit": 5000, "metadata": {"a": 1}}
    agent = make_agent(
        name="walker", tags=["walk"], memory_blocks=[block], secrets={"KEY": "value"}, metadata={"a": [1]},
        tool_rules=[{"type": "max_count_per_step", "tool_name": "memory_insert", "max_count_limit": 3}],
        description="It walks.", timezone="Europe/Berlin",
    )
    me = agent["id"]
    call("agents.list", query={"limit": 5})
    call("agents.retrieve", agent_id=me)
    faults_are_found(agent)
    call("agents.modify", agent_id=me, body={"description": "It still walks.", "tags": ["walk", "on"]})
    call("tags.list")
    call("agents.coreMemory.retrieve", agent_id=me)
    call("agents.memoryVariables.list", agent_id=me)
    call("agents.blocks.list", agent_id=me)
    call("agents.blocks.retrieve", agent_id=me, block_label="human")
    call("agents.blocks.modify", agent_id=me, block_label="human", body={"value": "I am Grace."})
    call("agents.context.retrieve", agent_id=me)
    turn = call("agents.messages.create", agent_id=me, body=insert("Likes tea."))
    call("agents.messages.create", agent_id=me, body={**user("Hello"), "use_assistant_message": False})
    call("agents.messages.list", agent_id=me, query={"limit": 50, "order": "asc"})
    call("agents.messages.preview", agent_id=me, body=user("Hello"))
    call("agents.messages.search", body={"query": "tea", "search_mode": "fts"})
    said = next(one for one in call("agents.messages.list", agent_id=me) if one["message_type"] == "user_message")
    edit = {"message_type": "user_message", "content": "Hello again"}
    call("agents.messages.modify", agent_id=me, message_id=said["id"], body=edit)
    call("agents.messages.summarize", agent_id=me)
    call("voice.create-voice-chat-completions", agent_id=me, body={"model": MODEL, **user("Hello")})
    call("chat.completions.create", body={"model": me, **user("Hello")})
    file = json.dumps(call("agents.export-file", agent_id=me))
    call("agents.import-file", form=("walker.af", file.encode()))
    runs(me, turn)
    relations(me)
    call("agents.messages.reset", agent_id=me, body={"add_default_initial_messages": True})
    call("agents.delete", agent_id=make_agent()["id"])
    return me


def runs(agent, turn):
    """Runs, jobs, steps and batches."""
    run = call("agents.messages.create-async", agent_id=agent, body=insert("Likes cake."))["id"]
    until("the end of a run", lambda: call("runs.retrieve", run_id=run)["status"] == "completed")
    call("agents.messages.cancel", agent_id=agent, body={})
    call("runs.list", query={"agent_id": agent})
    call("runs.list-active")
    call("runs.retrieve-metrics-for-run", run_id=run)
    call("runs.messages.list", run_id=run)
    call("runs.usage.retrieve", run_id=run)
    step = call("runs.steps.list", run_id=run)[0]["id"]
    call("steps.list", query={"agent_id": agent})
    call("steps.retrieve", step_id=step)
    call("steps.metrics.retrieve", step_id=step)
    call("steps.trace.retrieve", step_id=step)
    call("telemetry.retrieve-provider-trace", step_id=step)
    call("steps.feedback.create", step_id=step, body={"feedback": "positive", "tags": ["good"]})
    call("steps.messages.list", step_id=step)
    call("jobs.list")
    call("jobs.list-active")
    call("jobs.retrieve", job_id=run)
    call("jobs.delete", job_id=run)
    late = call("agents.messages.create-async", agent_id=agent, body=user("SLEEP 20000"))["id"]
    call("jobs.cancel-job", job_id=late)
    call("runs.delete", run_id=turn["messages"][0]["run_id"])
    requests = [{"agent_id": agent, **user("Hello")}]
    batch = call("batches.create", body={"requests": requests})["id"]
    until("the end of a batch", lambda: call("batches.retrieve", batch_id=batch)["completed_at"])
    call("batches.messages.list", batch_id=batch)
    call("batches.list")
    call("batches.cancel", batch_id=batch)


def relations(agent):
    """What an agent has beside its own."""
    block = call("blocks.create", body={"label": "notes", "value": "tea", "description": "Notes."})["id"]
    call("blocks.list")
    call("blocks.retrieve", block_id=block)
    call("blocks.modify", block_id=block, body={"value": "cake"})
    call("agents.blocks.attach", agent_id=agent, block_id=block)
    call("blocks.agents.list", block_id=block)
    call("agents.blocks.detach", agent_id=agent, block_id=block)
    person = {"identifier_key": "ada", "name": "Ada", "identity_type": "user"}
    identity = call("identities.create", body=person)["id"]
    call("identities.list")
    call("identities.upsert", body={**person, "name": "Ada L."})
    call("identities.retrieve", identity_id=identity)
    call("identities.modify", identity_id=identity, body={"name": "Ada"})
    call("identities.properties.upsert", identity_id=identity, body=[{"key": "age", "value": 3, "type": "number"}])
    call("agents.identities.attach", agent_id=agent, identity_id=identity)
    call("blocks.identities.attach", block_id=block, identity_id=identity)
    call("identities.agents.list", identity_id=identity)
    call("identities.blocks.list", identity_id=identity)
    call("blocks.identities.detach", block_id=block, identity_id=identity)
    call("agents.identities.detach", agent_id=agent, identity_id=identity)
    call("identities.delete", identity_id=identity)
    call("blocks.delete", block_id=block)
    call("agents.passages.create", agent_id=agent, body={"text": "Ada drinks tea.", "tags": ["tea"]})
    passage = call("agents.passages.list", agent_id=agent)[0]["id"]
    call("agents.passages.search", agent_id=agent, query={"query": "tea"})
    call("agents.passages.delete", agent_id=agent, memory_id=passage)
    archive = call("archives.create-archive", body={"name": "shelf", "embedding": EMBEDDING})["id"]
    call("archives.list-archives")
    call("archives.get-archive-by-id", archive_id=archive)
    call("archives.modify-archive", archive_id=archive, body={"description": "A shelf."})
    other = make_agent()["id"]
    call("agents.archives.attach", agent_id=other, archive_id=archive)
    call("archives.list-agents-for-archive", archive_id=archive)
    kept = call("agents.passages.create", agent_id=other, body={"text": "Grace drinks coffee."})[0]["id"]
    call("archives.delete-passage-from-archive", archive_id=archive, passage_id=kept)
    call("agents.archives.detach", agent_id=other, archive_id=archive)
    call("archives.delete-archive", archive_id=archive)
    groups(agent, other)


def groups(first, second):
    """Agents that talk with each other."""
    body = {"agent_ids": [first, second], "description": "Two.", "manager_config": {"manager_type": "round_robin"}}
    group = call("groups.create", body=body)["id"]
    call("groups.list")
    call("groups.retrieve", group_id=group)
    call("groups.modify", group_id=group, body={"description": "A pair."})
    call("agents.groups.list", agent_id=first)
    block = call("blocks.create", body={"label": "board", "value": "start"})["id"]
    call("groups.attach-block-to-group", group_id=group, block_id=block)
    call("groups.messages.create", group_id=group, body=user("Hello"))
    listed = call("groups.messages.list", group_id=group)
    said = next(one for one in listed if one["message_type"] == "user_message")
    edit = {"message_type": "user_message", "content": "Hello, you two"}
    call("groups.messages.modify", group_id=group, message_id=said["id"], body=edit)
    call("groups.detach-block-from-group", group_id=group, block_id=block)
    call("groups.messages.reset", group_id=group)
    call("groups.delete", group_id=group)


def tools(agent):
    """Tools of users and of MCP servers."""
    call("tools.upsert-base-tools")
    tool = call("tools.create", body={"source_code": ROLL, "tags": ["dice"], "description": "Rolls."})["id"]
    call("tools.list", query={"limit": 50})
    call("tools.retrieve", tool_id=tool)
    call("tools.modify", tool_id=tool, body={"description": "Rolls a die."})
    call("tools.upsert", body={"source_code": ROLL})
    call("tools.run-tool-from-source", body={"source_code": ROLL, "args": {"sides": 6}})
    call("agents.tools.attach", agent_id=agent, tool_id=tool)
    call("agents.tools.list", agent_id=agent, query={"limit": 50})
    call("agents.tools.modify-approval", agent_id=agent, tool_name="roll", body={"requires_approval": True})
    asks = call("agents.messages.create", agent_id=agent, body=user('CALL roll {"sides": 6}'))
    request = next(one for one in asks["messages"] if one["message_type"] == "approval_request_message")
    call("agents.messages.list", agent_id=agent)
    approval = {"type": "approval", "approve": True, "approval_request_id": request["id"]}
    call("agents.messages.create", agent_id=agent, body={"messages": [approval]})
    call("agents.messages.list", agent_id=agent, query={"limit": 100})
    call("agents.tools.detach", agent_id=agent, tool_id=tool)
    call("tools.delete", tool_id=tool)

    classic = {"server_name": "classic", "type": "streamable_http", "server_url": MCP}
    call("tools.add-mcp-server", body=classic)
    call("tools.list-mcp-servers")
    call("tools.test-mcp-server", body=classic)
    call("tools.update-mcp-server", mcp_server_name="classic", body={"server_url": MCP + "?v=2"})
    named = call("tools.list-mcp-tools-by-server", mcp_server_name="classic")[0]["name"]
    call("tools.add-mcp-tool", mcp_server_name="classic", mcp_tool_name=named)
    call("tools.delete-mcp-server", mcp_server_name="classic")

    config = {"mcp_server_type": "streamable_http", "server_url": MCP}
    server = call("mcpServers.mcp-create-mcp-server", body={"server_name": "current", "config": config})["id"]
    call("mcpServers.mcp-list-mcp-servers")
    call("mcpServers.mcp-get-mcp-server", mcp_server_id=server)
    call("mcpServers.mcp-update-mcp-server", mcp_server_id=server, body={"server_name": "renamed"})
    call("mcpServers.mcp-refresh-mcp-server-tools", mcp_server_id=server)
    listed = call("mcpServers.mcp-list-mcp-tools-by-server", mcp_server_id=server)
    echo = next(one for one in listed if one["name"] == os.environ["MNEME_MCP_TOOL"])["id"]
    call("mcpServers.mcp-get-mcp-tool", mcp_server_id=server, tool_id=echo)
    call("mcpServers.mcp-run-tool", mcp_server_id=server, tool_id=echo, body={"args": {"text": "hello"}})
    call("mcpServers.mcp-delete-mcp-server", mcp_server_id=server)


def files(agent):
    """Folders, which older clients call sources."""
    folder = call("folders.create", body={"name": "docs", "embedding": EMBEDDING, "description": "Papers."})["id"]
    call("folders.list")
    call("folders.retrieve", folder_id=folder)
    call("folders.modify", folder_id=folder, body={"instructions": "Read."})
    call("folders.retrieve-by-name", folder_name="docs")
    file = call("folders.files.upload", folder_id=folder, form=("notes.txt", b"Timber is a dog."))["id"]

    def settled():
        listed = call("folders.files.list", folder_id=folder)
        return all(one["processing_status"] == "completed" for one in listed)

    until("the reading of a file", settled)
    call("folders.retrieve-metadata", query={"include_detailed_per_source_metadata": True})
    call("folders.passages.list", folder_id=folder)
    call("agents.folders.attach", agent_id=agent, folder_id=folder)
    call("agents.folders.list", agent_id=agent)
    call("folders.agents.list", folder_id=folder)
    call("agents.files.list", agent_id=agent)
    call("agents.files.open", agent_id=agent, file_id=file)
    call("agents.coreMemory.retrieve", agent_id=agent)
    call("agents.context.retrieve", agent_id=agent)
    call("agents.retrieve", agent_id=agent)
    call("agents.files.close", agent_id=agent, file_id=file)
    call("agents.files.close-all", agent_id=agent)
    call("agents.folders.detach", agent_id=agent, folder_id=folder)
    call("folders.files.delete", folder_id=folder, file_id=file)
    call("folders.delete", folder_id=folder)

    source = call("sources.create", body={"name": "papers", "embedding": EMBEDDING})["id"]
    call("sources.list")
    call("sources.count")
    call("sources.retrieve", source_id=source)
    call("sources.modify", source_id=source, body={"description": "Papers."})
    call("sources.retrieve-by-name", source_name="papers")
    call("sources.get-sources-metadata")
    file = call("sources.files.upload", source_id=source, form=("more.txt", b"Mitzi is a cat."))["id"]
    call("sources.get-file-metadata", source_id=source, file_id=file)
    call("agents.sources.attach", agent_id=agent, source_id=source)
    call("agents.sources.list", agent_id=agent)
    call("sources.get-agents-for-source", source_id=source)
    call("agents.sources.detach", agent_id=agent, source_id=source)
    call("sources.delete", source_id=source)


def server(agent):
    """What the server is and whom it knows."""
    call("health.check")
    call("models.list")
    call("models.embeddings.list")
    own = {"name": "own", "provider_type": "openai", "api_key": "test", "base_url": os.environ["MNEME_PROVIDER_URL"]}
    call("providers.check", body={key: own[key] for key in ("provider_type", "api_key", "base_url")})
    provider = call("providers.create", body=own)["id"]
    call("providers.list")
    call("providers.retrieve-provider", provider_id=provider)
    call("providers.modify", provider_id=provider, body={"api_key": "other"})
    call("providers.check-existing-provider", provider_id=provider)
    call("providers.delete", provider_id=provider)
    policy = [{"type": "agent", "id": agent, "access": ["read_messages"]}]
    token = {"policy": policy, "hostname": "https://app.example.com"}
    token = call("clientSideAccessTokens.create", body=token)["token"]
    call("clientSideAccessTokens.client-side-access-tokens-list-client-side-access-tokens")
    call("clientSideAccessTokens.delete", token=token, body={})


def templates(agent):
    """Templates, and the agents that are made from them."""
    call("projects.list")
    body = {"type": "agent", "agent_id": agent, "name": "one"}
    made = call("templates.createtemplate", project_id=PROJECT, body=body)
    call("templates.list")
    call("templates.updatetemplatedescription", project_id=PROJECT, template_name="one", body={"description": "First."})
    version = {"project_id": PROJECT, "template_version": "one:current"}
    state = call("templates.gettemplatesnapshot", **version)
    call("templates.setcurrenttemplatefromsnapshot", **version, body=state)
    call("templates.savetemplateversion", project_id=PROJECT, template_name="one", body={"message": "again"})
    call("templates.listtemplateversions", project_id=PROJECT, name="one")
    call("templates.forktemplate", project_id=PROJECT, template_version="one:latest", body={"name": "two"})
    version["template_version"] = "one:latest"
    new = call("templates.createagentsfromtemplate", **version, body={"agent_name": "made"})
    where = {"project_id": PROJECT, "template_name": "one"}
    body = {"version": made["latest_version"]}
    call("templates.migratedeployment", **where, deployment_id=new["deployment_id"], body=body)
    body = {"agent_file_json": call("agents.export-file", agent_id=agent)}
    call("templates.updatecurrenttemplatefromagentfile", **where, body=body)
    call("templates.renametemplate", project_id=PROJECT, template_name="two", body={"new_name": "three"})
    call("templates.deletetemplate", project_id=PROJECT, template_name="three", body={})


def faults_are_found(agent):
    """Damaged answers are told from good ones, or the rest would say nothing."""
    schema = described.operation("agents.retrieve").answers["200"]
    block = agent["memory"]["blocks"][0]
    wrong_block = {**agent["memory"], "blocks": [{**block, "value": 7}]}
    wrong = ({"name": None}, {"created_at": "today"}, {"agent_type": "spy"}, {"tags": [1]}, {"memory": wrong_block})
    for damage in wrong:
        if not list(described.faults(schema, {**agent, **damage})):
            sys.exit(f"{damage} was not found to be wrong")
    if not list(described.faults(schema, {key: value for key, value in agent.items() if key != "id"})):
        sys.exit("a missing field was not found to be wrong")


def main():
    agent = agents()
    tools(agent)
    files(agent)
    server(agent)
    templates(agent)
    # A description may have more operations than the clients know.
    if os.environ.get("MNEME_SPEC_IS_WHOLE") == "1":
        for name in sorted(described.names() - asked - UNASKED):
            faults.append(f"{name}: nobody asked")
    different = sorted(set(faults))
    if different:
        sys.exit("\n".join([f"{len(different)} answers are not as described:", *different]))
    print(f"{len(asked)} operations answered as described.")


main()
