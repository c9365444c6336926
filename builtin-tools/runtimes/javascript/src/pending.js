// What a program began and did not wait for: timers, requests, bodies that are being read. A cell ends when they have, as a
// program in Node does.
const native = {};
for (const name of ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']) native[name] = globalThis[name].bind(globalThis);

/** Promises, and what timers are known by. */
const pending = new Set();
let wake = () => {};

function over(what) {
  if (pending.delete(what)) wake();
}

/** A function whose promises are waited for. */
export function watched(call) {
  return function (...values) {
    const promise = call.apply(this, values);
    const done = () => over(promise);
    pending.add(promise);
    promise.then(done, done);
    return promise;
  };
}

/** The global functions for timers, watched. */
export const timers = {
  setTimeout(callback, delay, ...values) {
    const timer = native.setTimeout(() => {
      over(timer);
      callback(...values);
    }, delay);
    pending.add(timer);
    return timer;
  },
  setInterval(callback, delay, ...values) {
    const timer = native.setInterval(callback, delay, ...values);
    pending.add(timer);
    return timer;
  },
  clearTimeout(timer) {
    over(timer);
    native.clearTimeout(timer);
  },
  clearInterval(timer) {
    over(timer);
    native.clearInterval(timer);
  },
};

for (const name of ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text']) {
  const read = Response.prototype[name];
  if (read) Response.prototype[name] = watched(read);
}
const { read } = ReadableStreamDefaultReader.prototype;
ReadableStreamDefaultReader.prototype.read = watched(read);

/** Waits until nothing is pending. */
export async function ended() {
  for (;;) {
    // What follows from what has ended may begin something else.
    await new Promise((next) => native.setTimeout(next, 0));
    if (!pending.size) return;
    await new Promise((next) => {
      wake = next;
    });
  }
}
