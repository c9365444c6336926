// `EventEmitter` of Node.js.

export class EventEmitter {
  #listeners = new Map();

  on(name, listener) {
    this.#listeners.set(name, [...this.listeners(name), listener]);
    return this;
  }

  once(name, listener) {
    const first = (...values) => {
      this.off(name, first);
      listener.apply(this, values);
    };
    first.listener = listener;
    return this.on(name, first);
  }

  off(name, listener) {
    this.#listeners.set(name, this.listeners(name).filter((one) => one !== listener && one.listener !== listener));
    return this;
  }

  emit(name, ...values) {
    const listeners = this.listeners(name);
    if (name === 'error' && !listeners.length) throw values[0];
    for (const listener of listeners) listener.apply(this, values);
    return listeners.length > 0;
  }

  listeners(name) {
    return this.#listeners.get(name) ?? [];
  }

  listenerCount(name) {
    return this.listeners(name).length;
  }

  removeAllListeners(name) {
    if (name === undefined) this.#listeners.clear(); else this.#listeners.delete(name);
    return this;
  }

  setMaxListeners() {
    return this;
  }
}

EventEmitter.prototype.addListener = EventEmitter.prototype.on;
EventEmitter.prototype.removeListener = EventEmitter.prototype.off;
