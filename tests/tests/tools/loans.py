import json
import os

from letta_client import Letta

TAG = "loan"


def lend(item: str, person: str, returned: bool = False) -> str:
    """
    Keeps track of what was lent to whom, in the agent's own archival memory.

    Args:
        item (str): What was lent
        person (str): Who has it
        returned (bool): Whether it came back
    """
    client = Letta(base_url=os.environ["LETTA_BASE_URL"], token=os.environ["LETTA_API_KEY"])
    agent_id = os.environ["LETTA_AGENT_ID"]
    if returned:
        for passage in client.agents.passages.list(agent_id=agent_id, search=item):
            if TAG in (passage.tags or []):
                client.agents.passages.delete(agent_id=agent_id, memory_id=passage.id)
    else:
        text = json.dumps({"item": item, "person": person})
        [kept] = client.agents.passages.create(agent_id=agent_id, text=text, tags=[TAG, person])
        assert kept.id.startswith("passage-") and kept.tags == [TAG, person]
    found = client.agents.passages.search(agent_id=agent_id, query=item, tags=[TAG], top_k=50)
    loans = [json.loads(result.content) for result in found.results]
    return "; ".join(sorted(f"{loan['person']} has {loan['item']}" for loan in loans)) or "nothing is lent"
