// `agentState`: the calling agent, with a memory that a tool can edit.
import * as host from 'mneme:tool/memory@0.1.0';

export class HostError extends Error {
  get name() {
    return 'HostError';
  }
}

class Memory {
  #before;

  constructor(blocks) {
    this.blocks = blocks;
    this.#before = new Map(blocks.map((block) => [block.label, block.value]));
  }

  /** The block, or null. */
  getBlock(label) {
    return this.blocks.find((block) => block.label === label) ?? null;
  }

  getBlocks() {
    return [...this.blocks];
  }

  listBlockLabels() {
    return this.blocks.map((block) => block.label);
  }

  updateBlockValue(label, value) {
    if (typeof value !== 'string') throw new TypeError('The value of a memory block must be a string');
    const block = this.getBlock(label);
    if (!block) throw new Error(`There is no memory block '${label}'; the blocks are: ${this.listBlockLabels().join(', ')}`);
    block.value = value;
  }

  /** Adds a block; it is made and attached when the tool ends. */
  createBlock(label, value = '', description, limit) {
    if (this.getBlock(label)) throw new Error(`There is already a memory block '${label}'`);
    const block = { label, value, description, limit };
    this.blocks.push(block);
    return block;
  }

  /** Adds the block, or takes its value over into the one with the same label. */
  setBlock(block) {
    const known = this.getBlock(block.label);
    if (known) known.value = block.value;
    else this.blocks.push(block);
  }

  /** Hands the edits to the host; new blocks go to the server's API. */
  async write(agent, server) {
    for (const block of this.blocks) {
      const { label, value } = block;
      const before = this.#before.get(label);
      if (before === value) continue;
      if (before === undefined) {
        await make(block, agent, server);
        continue;
      }
      told(() => {
        if (host.getBlock(label).value !== before) {
          throw new HostError(`the memory block '${label}' changed while this tool ran`);
        }
        host.setBlock(label, value);
      });
    }
  }
}

// The names that tools in Python have for the same.
for (const name of ['getBlock', 'getBlocks', 'listBlockLabels', 'updateBlockValue', 'createBlock', 'setBlock']) {
  Memory.prototype[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = Memory.prototype[name];
}

/** The agent from its JSON; undefined without one. */
export function agentState(text) {
  if (text === undefined || text === null) return undefined;
  const fields = JSON.parse(text);
  return { tags: [], ...fields, memory: new Memory(fields.memory?.blocks ?? fields.blocks ?? []) };
}

/** Hands edits of the memory to the host; its refusal is an error of the tool. */
export async function writeBack(agent, server) {
  if (agent?.memory instanceof Memory) await agent.memory.write(agent.id, server);
}

/** Makes a block and gives it to the agent. */
async function make({ label, value, description, limit }, agent, server) {
  const made = await ask('POST', `${server}/v1/blocks/`, { label, value, description, limit });
  await ask('PATCH', `${server}/v1/agents/${agent}/core-memory/blocks/attach/${made.id}`, {});
}

async function ask(method, url, body) {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method, headers, body: JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new HostError(text);
  return JSON.parse(text);
}

function told(ask) {
  try {
    ask();
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(error.payload?.val ?? String(error.message ?? error));
  }
}
