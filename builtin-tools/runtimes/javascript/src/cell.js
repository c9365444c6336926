// Evaluates source like a notebook cell: the value of the last expression is the result, and `await` is allowed.
import * as acorn from '../acorn.mjs';

export async function evaluate(source, filename) {
  const text = /\b(await|import|export)\b/.test(source) ? withAwait(source) : source;
  return (0, eval)(`${text}\n//# sourceURL=${filename}`);
}

/** The source as it is where it parses as a script, otherwise as the body of an asynchronous function. */
function withAwait(source) {
  const options = { ecmaVersion: 'latest', allowReturnOutsideFunction: true };
  if (parses(source, { ...options, sourceType: 'script' })) return source;
  let tree;
  try {
    tree = acorn.parse(source, { ...options, sourceType: 'module' });
  } catch {
    // The engine's own words for what is wrong with it.
    return source;
  }
  const misplaced = tree.body.find((node) => node.type.startsWith('Import') || node.type.startsWith('Export'));
  if (misplaced) {
    throw new SyntaxError(`import and export cannot be used here (line ${acorn.getLineInfo(source, misplaced.start).line})`);
  }
  const last = tree.body.at(-1);
  if (last?.type !== 'ExpressionStatement') return `(async () => {${source}\n})()`;
  // An expression starts where its statement starts, parentheses included.
  const end = source.slice(last.start, last.end).replace(/;$/, '');
  return `(async () => {${source.slice(0, last.start)}return (${end}\n)})()`;
}

function parses(source, options) {
  try {
    acorn.parse(source, options);
    return true;
  } catch {
    return false;
  }
}
