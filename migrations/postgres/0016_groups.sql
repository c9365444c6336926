-- Groups: agents that talk with each other, and how. `turns_counter` counts the manager's turns for its sleep-time agents.
CREATE TABLE agent_groups (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    org_id TEXT COLLATE "C" NOT NULL,
    manager_type TEXT NOT NULL,
    description TEXT NOT NULL,
    project_id TEXT,
    template_id TEXT,
    base_template_id TEXT,
    deployment_id TEXT,
    manager_agent_id TEXT COLLATE "C",
    termination_token TEXT,
    max_turns BIGINT,
    sleeptime_agent_frequency BIGINT,
    turns_counter BIGINT,
    last_processed_message_id TEXT,
    max_message_buffer_length BIGINT,
    min_message_buffer_length BIGINT,
    hidden BOOLEAN,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    created_by_id TEXT,
    last_updated_by_id TEXT,
    CONSTRAINT agent_groups_id UNIQUE (id),
    CONSTRAINT agent_groups_org_id_id UNIQUE (org_id, id),
    FOREIGN KEY (org_id) REFERENCES organizations (id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, manager_agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_groups_org ON agent_groups (org_id, seq);
CREATE INDEX agent_groups_manager ON agent_groups (org_id, manager_agent_id, seq);

-- Which agents speak in a group, in this order.
CREATE TABLE group_agents (
    org_id TEXT COLLATE "C" NOT NULL,
    group_id TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (org_id, group_id, agent_id),
    FOREIGN KEY (org_id, group_id) REFERENCES agent_groups (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, agent_id) REFERENCES agents (org_id, id) ON DELETE CASCADE
);
CREATE INDEX group_agents_agent ON group_agents (org_id, agent_id);

-- Blocks that the agents of a group share.
CREATE TABLE group_blocks (
    org_id TEXT COLLATE "C" NOT NULL,
    group_id TEXT COLLATE "C" NOT NULL,
    block_id TEXT COLLATE "C" NOT NULL,
    position BIGINT NOT NULL,
    PRIMARY KEY (org_id, group_id, block_id),
    FOREIGN KEY (org_id, group_id) REFERENCES agent_groups (org_id, id) ON DELETE CASCADE,
    FOREIGN KEY (org_id, block_id) REFERENCES blocks (org_id, id) ON DELETE CASCADE
);
CREATE INDEX group_blocks_block ON group_blocks (org_id, block_id);

CREATE INDEX messages_group ON messages (org_id, group_id, seq) WHERE group_id IS NOT NULL;
