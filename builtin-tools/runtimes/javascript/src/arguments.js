// Passes arguments that come by name to a function that takes them in order.
import * as acorn from '../acorn.mjs';

export class InvalidArguments extends Error {}

const AGENT = new Set(['agentState', 'agent_state']);

/** The arguments in order; `text` is a JSON object. What the function does not take is passed over: models add what other tools take. */
export function bind(target, text, agent) {
  const given = parsed(text);
  const parameters = parametersOf(target);
  const plain = parameters.filter((parameter) => !AGENT.has(parameter.name));
  // One parameter that is not among the arguments takes them all, as `({ a, b })` and `(options)` do.
  const whole = plain.length === 1 && !plain[0].rest && !Object.hasOwn(given, plain[0].name ?? '') ? plain[0] : undefined;
  return parameters.flatMap((parameter) => {
    if (AGENT.has(parameter.name)) return [agent];
    if (parameter === whole) return parameter.name && !Object.keys(given).length ? [undefined] : [given];
    const value = given[parameter.name];
    if (!parameter.rest) return [value];
    return Array.isArray(value) ? value : value === undefined ? [] : [value];
  });
}

function parsed(text) {
  let given;
  try {
    given = text.trim() ? JSON.parse(text) : {};
  } catch (error) {
    throw new InvalidArguments(`the arguments are not JSON: ${error.message}`);
  }
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new InvalidArguments('the arguments must be a JSON object');
  }
  return given;
}

/** Name and kind of each declared parameter; no name for a pattern. */
function parametersOf(target) {
  const text = Function.prototype.toString.call(target);
  const simple = /^(?:async\s+)?(?:function\s*\*?\s*[\w$]*\s*)?\(([\w$\s,]*)\)/.exec(text);
  if (simple) {
    return simple[1].split(',').map((name) => name.trim()).filter(Boolean).map((name) => ({ name }));
  }
  const parse = (source) => acorn.parseExpressionAt(source, 0, { ecmaVersion: 'latest' });
  let node;
  try {
    node = parse(`(${text})`);
  } catch {
    // A method: it parses as part of an object.
    node = parse(`({${text}})`).properties[0].value;
  }
  return (node.params ?? []).map(parameter);
}

function parameter(node) {
  if (node.type === 'AssignmentPattern') return parameter(node.left);
  if (node.type === 'RestElement') return { ...parameter(node.argument), rest: true };
  return { name: node.type === 'Identifier' ? node.name : undefined };
}
