// `fetch` that follows redirects; the engine's own hands the redirect itself to the program.
const MOVED = new Set([301, 302, 303, 307, 308]);
const MOST = 20;
const OF_THE_BODY = ['content-type', 'content-length', 'content-encoding', 'content-language', 'content-location'];
const OF_THE_ORIGIN = ['authorization', 'cookie', 'proxy-authorization'];

/** A `fetch` that sends each request with `send`, and the next one to where the answer points. */
export function following(send) {
  return async function fetch(input, init) {
    const asked = input instanceof Request ? input : undefined;
    let answer = await send(input, init);
    const mode = init?.redirect ?? 'follow';
    if (mode === 'manual' || !leads(answer)) return answer;
    let url = new URL(asked ? asked.url : String(input));
    let method = String(init?.method ?? asked?.method ?? 'GET').toUpperCase();
    let body = init?.body ?? undefined;
    // Such a body has gone out already.
    let spent = body === undefined ? Boolean(asked?.body) : body instanceof ReadableStream;
    const headers = new Headers(init?.headers ?? asked?.headers ?? {});
    for (let hop = 0; leads(answer); hop++) {
      if (mode === 'error') throw new TypeError(`${url.href} redirects to another address`);
      if (hop === MOST) throw new TypeError(`${url.href}: more than ${MOST} redirects`);
      const next = new URL(answer.headers.get('location'), url);
      if (next.protocol !== 'http:' && next.protocol !== 'https:') throw new TypeError(`${url.href} redirects to ${next.protocol}`);
      if (answer.status === 303 ? method !== 'GET' && method !== 'HEAD' : answer.status < 303 && method === 'POST') {
        method = 'GET';
        body = undefined;
        spent = false;
        OF_THE_BODY.forEach((name) => headers.delete(name));
      }
      if (spent) throw new TypeError(`${url.href} redirects, and a body that is a stream cannot be sent again`);
      if (next.origin !== url.origin) OF_THE_ORIGIN.forEach((name) => headers.delete(name));
      url = next;
      const again = { method, headers };
      if (body !== undefined) again.body = body;
      if (init?.signal) again.signal = init.signal;
      answer = await send(url.href, again);
      Object.defineProperty(answer, 'redirected', { value: true, configurable: true });
    }
    return answer;
  };
}

function leads(answer) {
  return MOVED.has(answer.status) && answer.headers.get('location') !== null;
}
