def rename_human(agent_state: "AgentState", name: str) -> str:
    """
    Notes what the human is called.

    Args:
        name (str): The name
    """
    block = agent_state.memory.get_block("human")
    agent_state.memory.update_block_value("human", f"{block.value}\nName: {name}")
    return f"{agent_state.name} knows {name}, blocks: {', '.join(agent_state.memory.list_block_labels())}"
