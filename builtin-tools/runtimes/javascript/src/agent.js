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

  /** The block, or undefined. */
  getBlock(label) {
    return this.blocks.find((block) => block.label === label);
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

  /** Hands the edits to the host. */
  write() {
    for (const { label, value } of this.blocks) {
      const before = this.#before.get(label);
      if (before === value) continue;
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
for (const name of ['getBlock', 'getBlocks', 'listBlockLabels', 'updateBlockValue']) {
  Memory.prototype[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = Memory.prototype[name];
}

/** The agent from its JSON; undefined without one. */
export function agentState(text) {
  if (text === undefined || text === null) return undefined;
  const fields = JSON.parse(text);
  return { tags: [], ...fields, memory: new Memory(fields.memory?.blocks ?? fields.blocks ?? []) };
}

/** Hands edits of the memory to the host; its refusal is an error of the tool. */
export function writeBack(agent) {
  if (agent?.memory instanceof Memory) agent.memory.write();
}

function told(ask) {
  try {
    ask();
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(error.payload?.val ?? String(error.message ?? error));
  }
}
