// Runs programs while the snapshot is made: an engine compiles a function when it is first called, and what it compiled is then in the
// snapshot.
import { run } from './program.js';

const TOOL = `
/** Counts. */
async function rehearsal(count, names, options = {}) {
  if (count < 0) throw new RangeError(count + ' is too small');
  return { count: count + 1, names: (names ?? []).map((name) => name.toUpperCase()), options, at: new Map([[1, [2.5, null, true]]]) };
}
const shout = (text, ...more) => text + '!' + more.join();
`;
const CALLS = [
  ['rehearsal', '{"count": 1, "names": ["a", "b"]}'],
  ['rehearsal', '{"count": 2, "options": {"exact": true}}'],
  ['rehearsal', '{"count": -1}'],
  ['rehearsal', '{"other": 1}'],
  ['shout', '{"text": "so"}'],
  ['missing', '{}'],
];

/** Runs them. What they set is set again for every program, but for what is put back here. */
export async function rehearse() {
  const { fetch } = globalThis;
  const program = (source, action) => ({ source, filename: 'tool.js', action, environment: [['A', 'b']], agentState: undefined });
  for (const [name, text] of CALLS) {
    await run(program(TOOL, { tag: 'call', val: { function: name, arguments: text } }));
  }
  // There is no clock yet to wait by.
  await run(program('const one = 1;\none + 1', { tag: 'evaluate' }), false);
  globalThis.fetch = fetch;
}
