// Values as text, the way consoles show them.
import { Buffer } from './buffer.js';

const MAX_DEPTH = 4;
const MAX_ITEMS = 100;
const WIDTH = 76;

/** Any value; strings in quotes. */
export function inspect(value, depth = 0, above = []) {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'bigint':
      return `${value}n`;
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'symbol':
      return value.toString();
    case 'function':
      return functionName(value);
    case 'object':
      return value === null ? 'null' : object(value, depth, above);
    default:
      return String(value);
  }
}

/** A line of a console: strings as they are, `%s` and its like filled in. */
export function line(values) {
  let rest = values;
  let start = '';
  if (typeof values[0] === 'string' && /%[sdifjoOc%]/.test(values[0])) {
    rest = values.slice(1);
    start = values[0].replace(/%([sdifjoOc%])/g, (whole, kind) => {
      if (kind === '%') return '%';
      if (!rest.length) return whole;
      return filled(kind, rest.shift());
    });
    rest = [start, ...rest];
  }
  return rest.map((value) => (typeof value === 'string' ? value : inspect(value))).join(' ');
}

function filled(kind, value) {
  if (kind === 's') return typeof value === 'object' && value !== null ? inspect(value) : String(value);
  if (kind === 'd' || kind === 'i') return String(kind === 'i' ? Number.parseInt(value, 10) : Number(value));
  if (kind === 'f') return String(Number.parseFloat(value));
  if (kind === 'c') return '';
  return kind === 'j' ? JSON.stringify(value) : inspect(value);
}

function quoted(text) {
  const quote = ["'", '"', '`'].find((mark) => !text.includes(mark)) ?? "'";
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');
  return quote + (quote === "'" ? inner.replaceAll("'", "\\'") : inner) + quote;
}

function functionName(value) {
  const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? 'class' : 'Function';
  return value.name ? (kind === 'class' ? `[class ${value.name}]` : `[Function: ${value.name}]`) : `[${kind} (anonymous)]`;
}

function object(value, depth, above) {
  if (above.includes(value)) return '[Circular]';
  if (value instanceof Error) return String(value.stack ? `${value.name}: ${value.message}` : value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof RegExp || value instanceof URL) return String(value);
  if (value instanceof Promise) return 'Promise {}';
  if (value instanceof Buffer) {
    const bytes = value.toString('hex', 0, 50).replace(/(?!^)(?=(?:..)+$)/g, ' ');
    return `<Buffer ${bytes}${value.length > 50 ? ` ... ${value.length - 50} more bytes` : ''}>`;
  }
  const name = value.constructor?.name ?? '[Object: null prototype]';
  if (depth > MAX_DEPTH) return Array.isArray(value) ? '[Array]' : `[${name}]`;
  const inner = (item) => inspect(item, depth + 1, [...above, value]);
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)) {
    return wrapped(Array.isArray(value) ? '' : `${name}(${value.length}) `, '[', cut(Array.from(value, inner)), ']', depth);
  }
  if (value instanceof Map) {
    const items = Array.from(value, ([key, item]) => `${inner(key)} => ${inner(item)}`);
    return wrapped(`Map(${value.size}) `, '{', cut(items), '}', depth);
  }
  if (value instanceof Set) return wrapped(`Set(${value.size}) `, '{', cut(Array.from(value, inner)), '}', depth);
  const items = Object.entries(value).map(([key, item]) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)}: ${inner(item)}`);
  return wrapped(name === 'Object' ? '' : `${name} `, '{', cut(items), '}', depth);
}

function cut(items) {
  return items.length > MAX_ITEMS ? [...items.slice(0, MAX_ITEMS), `… ${items.length - MAX_ITEMS} more`] : items;
}

function wrapped(name, open, items, close, depth) {
  if (!items.length) return `${name}${open}${close}`;
  const flat = `${name}${open} ${items.join(', ')} ${close}`;
  if (flat.length <= WIDTH && !flat.includes('\n')) return flat;
  const indent = '  '.repeat(depth + 1);
  return `${name}${open}\n${indent}${items.join(`,\n${indent}`)}\n${'  '.repeat(depth)}${close}`;
}
