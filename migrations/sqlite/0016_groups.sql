-- Groups: agents that talk with each other, and how. `turns_counter` counts the manager's turns for its sleep-time agents.
CREATE TABLE agent_groups (
    seq INTEGER NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    org_id TEXT NOT NULL,
    manager_type TEXT NOT NULL,
    description TEXT NOT NULL,
    project_id TEXT,
    template_id TEXT,
    base_template_id TEXT,
    deployment_id TEXT,
    manager_agent_id TEXT,
    termination_token TEXT,
    max_turns INTEGER,
    sleeptime_agent_frequency INTEGER,
    turns_counter INTEGER,
    last_processed_message_id TEXT,
    max_message_buffer_length INTEGER,
    min_message_buffer_length INTEGER,
    hidden INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    UNIQUE (id),
    UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, manager_agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX agent_groups_org ON agent_groups (org_id, seq);
CREATE INDEX agent_groups_manager ON agent_groups (org_id, manager_agent_id, seq);

-- Which agents speak in a group, in this order.
CREATE TABLE group_agents (
    org_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org_id, group_id, agent_id),
    FOREIGN KEY (org_id, group_id) REFERENCES agent_groups (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX group_agents_agent ON group_agents (org_id, agent_id);

-- Blocks that the agents of a group share.
CREATE TABLE group_blocks (
    org_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    block_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org_id, group_id, block_id),
    FOREIGN KEY (org_id, group_id) REFERENCES agent_groups (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, block_id) REFERENCES blocks (org_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX group_blocks_block ON group_blocks (org_id, block_id);

CREATE INDEX messages_group ON messages (org_id, group_id, seq) WHERE group_id IS NOT NULL;
