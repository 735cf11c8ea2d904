// Server-sent events from a stream of text (WHATWG HTML 9.2.6). Pure.

/**
 * Takes the text of an event stream in pieces of any size and hands on the data of
 * each event. `id` and `retry` are of no use here: every event is a whole snapshot.
 */
export class SseParser {
  #rest = '';
  /** @type {string[]} */
  #data = [];
  #onData;

  /** @param {(data: string) => void} onData */
  constructor(onData) {
    this.#onData = onData;
  }

  /** @param {string} text */
  push(text) {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
  }

  /** @param {string} line */
  #line(line) {
    if (line === '') {
      this.#dispatch();
    } else if (line.startsWith('data:')) {
      this.#data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
  }

  #dispatch() {
    if (this.#data.length === 0) return;
    const data = this.#data.join('\n');
    this.#data = [];
    this.#onData(data);
  }
}
