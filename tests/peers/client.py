"""Talks to a Mneme server as any MCP program does: python client.py URL AGENT_ID"""
import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client


def words(result):
    return result.content[0].text


async def main(url, agent):
    async with streamable_http_client(f"{url}/mcp") as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            hello = await session.initialize()
            tools = await session.list_tools()
            agents = await session.call_tool("list_agents", {})
            said = await session.call_tool("send_message_to_agent", {"agent_id": agent, "message": "Hello from Python"})
            found = await session.call_tool("search_agent_messages", {"agent_id": agent, "query": "Python"})
    async with streamable_http_client(f"{url}/mcp/agents/{agent}") as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await session.initialize()
            own = await session.list_tools()
    info = getattr(hello, "server_info", None) or hello.serverInfo
    print(json.dumps({
        "server": info.name,
        "tools": [tool.name for tool in tools.tools],
        "agents": json.loads(words(agents)),
        "said": words(said),
        "found": words(found),
        "own": [tool.name for tool in own.tools],
    }))


asyncio.run(main(*sys.argv[1:]))
