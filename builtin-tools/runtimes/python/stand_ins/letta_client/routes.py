"""Which request a method of the client makes: method, verb, and path below `/v1/`."""

_TABLE = """
agents.archives.attach PATCH agents/{agent_id}/archives/attach/{archive_id}
agents.archives.detach PATCH agents/{agent_id}/archives/detach/{archive_id}
agents.blocks.attach PATCH agents/{agent_id}/core-memory/blocks/attach/{block_id}
agents.blocks.detach PATCH agents/{agent_id}/core-memory/blocks/detach/{block_id}
agents.blocks.list GET agents/{agent_id}/core-memory/blocks
agents.blocks.modify PATCH agents/{agent_id}/core-memory/blocks/{block_label}
agents.blocks.retrieve GET agents/{agent_id}/core-memory/blocks/{block_label}
agents.context.retrieve GET agents/{agent_id}/context
agents.core_memory.retrieve GET agents/{agent_id}/core-memory
agents.count GET agents/count
agents.create POST agents/
agents.delete DELETE agents/{agent_id}
agents.export_file GET agents/{agent_id}/export
agents.files.close PATCH agents/{agent_id}/files/{file_id}/close
agents.files.close_all PATCH agents/{agent_id}/files/close-all
agents.files.list GET agents/{agent_id}/files
agents.files.open PATCH agents/{agent_id}/files/{file_id}/open
agents.folders.attach PATCH agents/{agent_id}/folders/attach/{folder_id}
agents.folders.detach PATCH agents/{agent_id}/folders/detach/{folder_id}
agents.folders.list GET agents/{agent_id}/folders
agents.groups.list GET agents/{agent_id}/groups
agents.identities.attach PATCH agents/{agent_id}/identities/attach/{identity_id}
agents.identities.detach PATCH agents/{agent_id}/identities/detach/{identity_id}
agents.import_file POST agents/import
agents.list GET agents/
agents.memory_variables.list GET agents/{agent_id}/core-memory/variables
agents.messages.cancel POST agents/{agent_id}/messages/cancel
agents.messages.create POST agents/{agent_id}/messages
agents.messages.create_async POST agents/{agent_id}/messages/async
agents.messages.create_stream POST agents/{agent_id}/messages/stream
agents.messages.list GET agents/{agent_id}/messages
agents.messages.modify PATCH agents/{agent_id}/messages/{message_id}
agents.messages.preview POST agents/{agent_id}/messages/preview-raw-payload
agents.messages.reset PATCH agents/{agent_id}/reset-messages
agents.messages.search POST agents/messages/search
agents.messages.summarize POST agents/{agent_id}/summarize
agents.modify PATCH agents/{agent_id}
agents.passages.create POST agents/{agent_id}/archival-memory
agents.passages.delete DELETE agents/{agent_id}/archival-memory/{memory_id}
agents.passages.list GET agents/{agent_id}/archival-memory
agents.passages.search GET agents/{agent_id}/archival-memory/search
agents.passages.update PATCH agents/{agent_id}/archival-memory/{memory_id}
agents.retrieve GET agents/{agent_id}
agents.sources.attach PATCH agents/{agent_id}/sources/attach/{source_id}
agents.sources.detach PATCH agents/{agent_id}/sources/detach/{source_id}
agents.sources.list GET agents/{agent_id}/sources
agents.tools.attach PATCH agents/{agent_id}/tools/attach/{tool_id}
agents.tools.detach PATCH agents/{agent_id}/tools/detach/{tool_id}
agents.tools.list GET agents/{agent_id}/tools
agents.tools.modify_approval PATCH agents/{agent_id}/tools/approval/{tool_name}
agents.tools.run POST agents/{agent_id}/tools/{tool_name}/run
archives.agents.list GET archives/{archive_id}/agents
archives.create POST archives/
archives.delete DELETE archives/{archive_id}
archives.list GET archives/
archives.modify PATCH archives/{archive_id}
archives.passages.create POST archives/{archive_id}/passages
archives.passages.delete DELETE archives/{archive_id}/passages/{passage_id}
archives.retrieve GET archives/{archive_id}
batches.cancel PATCH messages/batches/{batch_id}/cancel
batches.create POST messages/batches
batches.list GET messages/batches
batches.messages.list GET messages/batches/{batch_id}/messages
batches.retrieve GET messages/batches/{batch_id}
blocks.agents.list GET blocks/{block_id}/agents
blocks.count GET blocks/count
blocks.create POST blocks/
blocks.delete DELETE blocks/{block_id}
blocks.identities.attach PATCH blocks/{block_id}/identities/attach/{identity_id}
blocks.identities.detach PATCH blocks/{block_id}/identities/detach/{identity_id}
blocks.list GET blocks/
blocks.modify PATCH blocks/{block_id}
blocks.retrieve GET blocks/{block_id}
conversations.create POST conversations/
conversations.list GET conversations/
conversations.messages.create POST conversations/{conversation_id}/messages
conversations.messages.list GET conversations/{conversation_id}/messages
conversations.retrieve GET conversations/{conversation_id}
folders.agents.list GET folders/{folder_id}/agents
folders.count GET folders/count
folders.create POST folders/
folders.delete DELETE folders/{folder_id}
folders.files.delete DELETE folders/{folder_id}/{file_id}
folders.files.list GET folders/{folder_id}/files
folders.files.upload POST folders/{folder_id}/upload
folders.list GET folders/
folders.modify PATCH folders/{folder_id}
folders.passages.list GET folders/{folder_id}/passages
folders.retrieve GET folders/{folder_id}
folders.retrieve_by_name GET folders/name/{folder_name}
folders.retrieve_metadata GET folders/metadata
groups.blocks.attach PATCH groups/{group_id}/blocks/attach/{block_id}
groups.blocks.detach PATCH groups/{group_id}/blocks/detach/{block_id}
groups.count GET groups/count
groups.create POST groups/
groups.delete DELETE groups/{group_id}
groups.list GET groups/
groups.messages.create POST groups/{group_id}/messages
groups.messages.create_stream POST groups/{group_id}/messages/stream
groups.messages.list GET groups/{group_id}/messages
groups.messages.modify PATCH groups/{group_id}/messages/{message_id}
groups.messages.reset PATCH groups/{group_id}/reset-messages
groups.modify PATCH groups/{group_id}
groups.retrieve GET groups/{group_id}
health GET health/
identities.agents.list GET identities/{identity_id}/agents
identities.blocks.list GET identities/{identity_id}/blocks
identities.count GET identities/count
identities.create POST identities/
identities.delete DELETE identities/{identity_id}
identities.list GET identities/
identities.modify PATCH identities/{identity_id}
identities.properties.upsert PUT identities/{identity_id}/properties
identities.retrieve GET identities/{identity_id}
identities.upsert PUT identities/
jobs.cancel PATCH jobs/{job_id}/cancel
jobs.delete DELETE jobs/{job_id}
jobs.list GET jobs/
jobs.list_active GET jobs/active
jobs.retrieve GET jobs/{job_id}
mcp_servers.connect GET mcp-servers/connect/{mcp_server_id}
mcp_servers.create POST mcp-servers/
mcp_servers.delete DELETE mcp-servers/{mcp_server_id}
mcp_servers.list GET mcp-servers/
mcp_servers.modify PATCH mcp-servers/{mcp_server_id}
mcp_servers.refresh PATCH mcp-servers/{mcp_server_id}/refresh
mcp_servers.retrieve GET mcp-servers/{mcp_server_id}
mcp_servers.tools.list GET mcp-servers/{mcp_server_id}/tools
mcp_servers.tools.retrieve GET mcp-servers/{mcp_server_id}/tools/{tool_id}
mcp_servers.tools.run POST mcp-servers/{mcp_server_id}/tools/{tool_id}/run
messages.list GET messages/
messages.retrieve GET messages/{message_id}
messages.search POST messages/search
models.embeddings.list GET models/embedding
models.list GET models/
passages.search POST passages/search
providers.check POST providers/check
providers.check_existing_provider POST providers/{provider_id}/check
providers.create POST providers/
providers.delete DELETE providers/{provider_id}
providers.list GET providers/
providers.modify PATCH providers/{provider_id}
providers.retrieve GET providers/{provider_id}
runs.delete DELETE runs/{run_id}
runs.list GET runs/
runs.list_active GET runs/active
runs.messages.list GET runs/{run_id}/messages
runs.metrics.retrieve GET runs/{run_id}/metrics
runs.retrieve GET runs/{run_id}
runs.steps.list GET runs/{run_id}/steps
runs.stream POST runs/{run_id}/stream
runs.usage.retrieve GET runs/{run_id}/usage
sources.agents.list GET sources/{source_id}/agents
sources.count GET sources/count
sources.create POST sources/
sources.delete DELETE sources/{source_id}
sources.files.retrieve GET sources/{source_id}/files/{file_id}
sources.files.upload POST sources/{source_id}/upload
sources.list GET sources/
sources.modify PATCH sources/{source_id}
sources.retrieve GET sources/{source_id}
sources.retrieve_by_name GET sources/name/{source_name}
sources.retrieve_metadata GET sources/metadata
steps.feedback.create PATCH steps/{step_id}/feedback
steps.list GET steps/
steps.messages.list GET steps/{step_id}/messages
steps.metrics.retrieve GET steps/{step_id}/metrics
steps.retrieve GET steps/{step_id}
steps.trace.retrieve GET steps/{step_id}/trace
tags.list GET tags/
tools.add_mcp_server PUT tools/mcp/servers
tools.add_mcp_tool POST tools/mcp/servers/{mcp_server_name}/{mcp_tool_name}
tools.connect_mcp_server POST tools/mcp/servers/connect
tools.count GET tools/count
tools.create POST tools/
tools.delete DELETE tools/{tool_id}
tools.delete_mcp_server DELETE tools/mcp/servers/{mcp_server_name}
tools.list GET tools/
tools.list_mcp_servers GET tools/mcp/servers
tools.list_mcp_tools_by_server GET tools/mcp/servers/{mcp_server_name}/tools
tools.modify PATCH tools/{tool_id}
tools.retrieve GET tools/{tool_id}
tools.run_from_source POST tools/run
tools.search POST tools/search
tools.test_mcp_server POST tools/mcp/servers/test
tools.update_mcp_server PATCH tools/mcp/servers/{mcp_server_name}
tools.upsert PUT tools/
tools.upsert_base_tools POST tools/add-base-tools
"""

#: What the two generations of the official client call the same thing.
_ALSO = {
    "modify": ("update",),
    "update": ("modify",),
    "retrieve": ("get",),
    "modify_approval": ("update_approval",),
    "summarize": ("compact",),
    "create_stream": ("stream",),
    "import_file": ("import_", "import_agent_serialized"),
    "export_file": ("export", "export_agent_serialized"),
    "run_from_source": ("run_tool_from_source",),
    "core_memory.retrieve": ("core_memory.get",),
}

#: Other names of single methods.
_OTHERS = {
    "agents.passages.insert": "agents.passages.create", "archives.create_archive": "archives.create",
    "archives.list_archives": "archives.list", "archives.modify_archive": "archives.modify", "jobs.cancel_job": "jobs.cancel",
    "models.listembeddingmodels": "models.embeddings.list", "runs.messages.stream": "runs.stream",
    "sources.get_agents_for_source": "sources.agents.list", "sources.get_sources_metadata": "sources.retrieve_metadata",
    "sources.get_file_metadata": "sources.files.retrieve", "telemetry.retrieve_provider_trace": "steps.trace.retrieve",
}


def _routes():
    routes = {}
    for line in _TABLE.split("\n"):
        if not line:
            continue
        name, verb, path = line.split(" ")
        routes[name] = (verb, path)
    for name, route in list(routes.items()):
        start, _, method = name.rpartition(".")
        for other in _ALSO.get(method, ()):
            routes.setdefault(f"{start}.{other}", route)
    for other, name in _OTHERS.items():
        routes[other] = routes[name]
    for method in ("list", "create", "retrieve", "modify", "update", "attach", "detach"):
        route = routes.get(f"agents.blocks.{method}")
        if route:
            routes[f"agents.core_memory.{method}_block{'s' if method == 'list' else ''}"] = route
    return routes


ROUTES = _routes()
#: The groups of methods: `agents`, `agents.messages`, …
GROUPS = {name[:at] for name in ROUTES for at, letter in enumerate(name) if letter == "."}
