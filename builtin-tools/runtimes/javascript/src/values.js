// Turns what a program answers with into JSON and text.
import { inspect } from './inspect.js';

/** What a function returned: text as it would be printed. */
export function returned(value) {
  if (value === undefined) return undefined;
  return { json: json(value), text: typeof value === 'string' ? value : inspect(value) };
}

/** What a cell evaluated to: text as an interactive session would show it. */
export function valueOf(value) {
  return value === undefined ? undefined : { json: json(value), text: inspect(value) };
}

function json(value) {
  try {
    return JSON.stringify(value, (_, inner) => plain(inner));
  } catch {
    // A circle, or a toJSON that throws.
    return undefined;
  }
}

function plain(value) {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value);
  if (value instanceof Error) return { name: value.name, message: value.message };
  return value;
}
