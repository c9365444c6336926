// `import()` of programs: the engine has no loader, and stops at one.
import * as acorn from '../acorn.mjs';
import { require } from './modules.js';

/** What stands in the place of the word. It is as long, so that places stay what they are. */
export const WORD = '_imprt';
/** The longest source that is looked through, in characters: packages may stand before the program. */
const LONGEST = 1_000_000;

/** The source with calls of a function for each `import()`. */
export function replaced(source) {
  if (source.length > LONGEST || !/\bimport\s*\(/.test(source)) return source;
  const places = [];
  const walk = (node) => {
    if (Array.isArray(node)) {
      node.forEach(walk);
    } else if (typeof node?.type === 'string') {
      if (node.type === 'ImportExpression') places.push(node.start);
      Object.values(node).forEach(walk);
    }
  };
  try {
    walk(acorn.parse(source, { ecmaVersion: 'latest', allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true }));
  } catch {
    // The engine says what is wrong with it.
    return source;
  }
  let made = source;
  for (const at of places) made = made.slice(0, at) + WORD + made.slice(at + WORD.length);
  return made;
}

/** The module of a name, as `import()` answers with it. */
export async function load(name) {
  const found = globalThis.__packages?.[name] ?? require(name);
  return typeof found === 'object' && 'default' in found ? found : { default: found, ...found };
}
