// Errors, told to whoever wrote the program: only frames of their own file.
import * as acorn from '../acorn.mjs';

const HINTS = {
  require: 'packages are declared as requirements of the tool',
  __dirname: 'a tool has no files',
  window: 'a tool runs without a browser',
  document: 'a tool runs without a browser',
};

/** Name, message and traceback of anything that was thrown. */
export function describe(thrown, program) {
  if (!(thrown instanceof Error)) {
    const message = text(thrown);
    return { name: 'Error', message, traceback: `Uncaught ${message}` };
  }
  const name = String(thrown.name || 'Error');
  const message = hinted(String(thrown.message ?? ''));
  return { name, message, traceback: traceback(thrown, program, 0) };
}

function hinted(message) {
  const missing = /^(?:can't access lexical declaration )?["']?(\w+)["']? is not defined$/.exec(message)?.[1];
  const hint = missing && HINTS[missing];
  return hint ? `${message}: ${hint}` : message;
}

function traceback(error, program, depth) {
  const message = hinted(String(error.message ?? ''));
  let told = message ? `${error.name}: ${message}` : String(error.name);
  const frames = ownFrames(error, program);
  const first = frames[0] ?? syntaxErrorAt(error, program);
  const line = first && program.source.split('\n')[first.line - 1];
  if (line !== undefined) told = `${program.filename}:${first.line}\n${line}\n${caret(line, first.column)}\n${told}`;
  for (const frame of frames) {
    const place = `${program.filename}:${frame.line}:${frame.column}`;
    told += frame.name ? `\n    at ${frame.name} (${place})` : `\n    at ${place}`;
  }
  for (const inner of error.errors ?? []) {
    if (inner instanceof Error && depth < 5) told += `\nOne of them: ${traceback(inner, program, depth + 1)}`;
  }
  if (error.cause instanceof Error && depth < 5) told += `\nCaused by: ${traceback(error.cause, program, depth + 1)}`;
  return told;
}

/** Frames of the program, innermost first. */
function ownFrames(error, program) {
  const frames = [];
  for (const entry of String(error.stack ?? '').split('\n')) {
    const found = /^(.*?)@(.*?):(\d+):(\d+)$/.exec(entry);
    if (!found || found[2] !== program.filename || Number(found[3]) > lineCount(program)) continue;
    const name = found[1].replace(/^async\*/, '').replace(/\/<$/, '').replace(/[/<]+$/, '');
    frames.push({ name: name === 'anonymous' ? '' : name, line: Number(found[3]), column: Number(found[4]) });
  }
  return frames.slice(0, 50);
}

function lineCount(program) {
  return program.source.split('\n').length;
}

/** Where the source is not well-formed; the engine itself does not say. */
function syntaxErrorAt(error, program) {
  if (!(error instanceof SyntaxError)) return undefined;
  try {
    acorn.parse(program.source, { ecmaVersion: 'latest', sourceType: 'module', allowReturnOutsideFunction: true });
  } catch (found) {
    return found.loc && { line: found.loc.line, column: found.loc.column + 1 };
  }
  return undefined;
}

function caret(line, column) {
  const at = Math.max(0, Math.min((column || 1) - 1, line.length));
  return `${line.slice(0, at).replace(/\S/g, ' ')}^`;
}

function text(thrown) {
  try {
    return typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}
