import os

from letta_client import Letta


def ask_agent(agent_id: str, question: str) -> str:
    """
    Asks another agent.

    Args:
        agent_id (str): Which one
        question (str): What to ask
    """
    client = Letta(base_url=os.environ["LETTA_BASE_URL"], token=os.environ.get("LETTA_API_KEY"))
    reply = client.agents.messages.create(agent_id=agent_id, messages=[{"role": "user", "content": question}])
    said = [message.content for message in reply.messages if message.message_type == "assistant_message"]
    return f"{client.agents.retrieve(agent_id).name}: {said[-1]}"
