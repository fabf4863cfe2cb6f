// The bridge: another process scripts the pages of this browser, one JSON object a line.
//
//   in    {"id":1,"page":"a","js":"async body","arg":…}   evaluate; the page is made on demand
//   in    {"id":2,"page":"a","close":true}                close the page
//   out   {"ready":true,"pid":…}                          once, when the browser runs
//   out   {"id":1,"value":…} or {"id":1,"error":{"name","message",…}}
//   out   {"page":"a","event":"track",…}                  pushed by the page (negotiate.js)
//
// A page's events come in their order, and before the answer to whatever caused them. The end of
// stdin ends the browser.
import { createInterface } from 'node:readline';
import { open } from './browser.js';
import { print } from './cli.js';

/** Serves stdin until it ends; resolves with the exit code. */
export async function bridge(browser, origin) {
  const pages = new Map();
  const gone = new Promise((resolve) => browser.once('disconnected', () => resolve(1)));
  const served = new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => void serve(browser, origin, pages, JSON.parse(line)));
    lines.on('close', () => resolve(0));
  });
  print({ ready: true, pid: browser.process()?.pid ?? null });
  return Promise.race([gone, served]);
}

async function serve(browser, origin, pages, { id, page: name, js, arg, close }) {
  try {
    if (!pages.has(name)) pages.set(name, Page.make(browser, origin, name));
    const page = await pages.get(name);
    if (close) {
      pages.delete(name);
      await page.close();
      print({ id, value: null });
    } else {
      print({ id, ...(await page.evaluate(js, arg)) });
    }
  } catch (error) {
    print({ id, error: { name: 'BridgeError', message: `page ${name}: ${error.message ?? error}` } });
  }
}

class Page {
  constructor(page, name) {
    this.page = page;
    this.name = name;
    this.next = 0;
    this.early = new Map();
    this.waiting = [];
  }

  static async make(browser, origin, name) {
    const page = new Page(await open(browser, name), name);
    await page.page.exposeFunction('bridgePush', (at, json) => page.push(at, json));
    await page.page.goto(`${origin}/bridge.html`);
    await page.page.waitForFunction('window.bridgeEvaluate !== undefined');
    return page;
  }

  async evaluate(js, arg) {
    const call = (text, json) => window.bridgeEvaluate(text, json);
    const { pushed, json, error } = await this.page.evaluate(call, js, JSON.stringify(arg ?? null));
    await this.printed(pushed);
    return error ? { error } : { value: JSON.parse(json) };
  }

  close() {
    return this.page.close();
  }

  /** Calls of an exposed function may overtake each other; the page numbers them. */
  push(at, json) {
    this.early.set(at, json);
    while (this.early.has(this.next)) {
      print({ page: this.name, ...JSON.parse(this.early.get(this.next)) });
      this.early.delete(this.next);
      this.next += 1;
    }
    this.waiting = this.waiting.filter(({ upTo, resolve }) => upTo > this.next || resolve());
  }

  /** Resolves when the first `upTo` events are out. */
  printed(upTo) {
    if (upTo <= this.next) return undefined;
    return new Promise((resolve) => this.waiting.push({ upTo, resolve }));
  }
}
