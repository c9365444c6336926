// Runs one program: prepares the globals, does what was asked, and tells what came of it.
import { agentState, writeBack } from './agent.js';
import { InvalidArguments, bind } from './arguments.js';
import { evaluate } from './cell.js';
import { describe } from './failures.js';
import { prepare, shown } from './globals.js';
import { replaced } from './imports.js';
import { ended } from './pending.js';
import { returned, valueOf } from './values.js';

// Where the server's API is, unless the environment says otherwise.
const SERVER = 'http://mneme.internal';

const ok = (val) => ({ tag: 'ok', val });
const err = (val) => ({ tag: 'err', val });

/** `waits`: whether a cell ends only when what it began has ended. */
export async function run(program, waits = true) {
  let value;
  try {
    const agent = agentState(program.agentState);
    prepare(program, agent);
    const result = program.action.tag === 'call'
      ? returned(await call(program, agent, program.action.val))
      : await cell(program, waits);
    await writeBack(agent, new Map(program.environment).get('LETTA_BASE_URL') ?? SERVER);
    value = ok(result);
  } catch (error) {
    value = error instanceof InvalidArguments
      ? err({ tag: 'invalid-arguments', val: error.message })
      : err({ tag: 'raised', val: describe(error, program) });
  }
  return { value, displays: shown() };
}

async function cell(program, waits) {
  const value = await evaluate(replaced(program.source), program.filename);
  if (waits) await ended();
  return valueOf(value);
}

async function call(program, agent, invocation) {
  const name = invocation.function;
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) throw new InvalidArguments(`${JSON.stringify(name)} is not the name of a function`);
  // The source becomes the body of a function, on the same line: what it declares can be looked up, and lines keep their number.
  const found = await (0, eval)(
    `(async () => {${replaced(program.source)}\n;return { it: typeof ${name} === 'undefined' ? undefined : ${name} }})\n//# sourceURL=${program.filename}`,
  )();
  if (typeof found.it !== 'function') throw new InvalidArguments(`the source defines no function '${name}'`);
  return found.it(...bind(found.it, invocation.arguments, agent));
}
