// A real browser: a page of it runs one session (page.html), or with `--bridge` another process
// scripts as many pages as it likes (bridge.js). Pages and mailbox share one origin, served here:
// no CORS, and a secure context.
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bridge } from './bridge.js';
import { flags, print } from './cli.js';

const POLL_MS = 20;
const CLOSING_MS = 5000;
const FILES = {
  '/page.html': 'text/html', '/session.js': 'text/javascript',
  '/bridge.html': 'text/html', '/negotiate.js': 'text/javascript',
  '/media_clock.js': 'text/javascript', '/keys.js': 'text/javascript',
};

/** `launch(profile)` starts the browser on an empty profile folder and resolves with a puppeteer Browser. */
export async function drive(launch) {
  const options = process.argv.includes('--bridge') ? undefined : flags();
  const server = await serve(options?.signal);
  const origin = `http://127.0.0.1:${server.address().port}`;
  const profile = await mkdtemp(join(tmpdir(), 'interop-browser-'));
  let code = 1;
  try {
    const browser = await launch(profile);
    const use = options ? inPage(browser, origin, options) : bridge(browser, origin);
    code = await use.finally(() => close(browser));
  } catch (error) {
    console.error(error);
  }
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}

async function inPage(browser, origin, options) {
  const page = await open(browser, 'page');
  await page.goto(`${origin}/page.html`);
  await page.waitForFunction('window.start !== undefined');
  await page.evaluate((given) => window.start(given), { ...options, signal: origin });
  for (;;) {
    const { lines, exit } = await page.evaluate(() => window.takeLines());
    lines.forEach(print);
    if (exit !== undefined) return exit;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** A new page whose console goes to stderr under `name`. */
export async function open(browser, name) {
  const page = await browser.newPage();
  page.on('console', (message) => console.error(`${name}: console: ${message.text()}`));
  page.on('pageerror', (error) => console.error(`${name}: ${error}`));
  return page;
}

/** A browser that does not go when asked is killed, with its whole process group: it leads one. */
async function close(browser) {
  const child = browser.process();
  let timer;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, CLOSING_MS, 'late')));
  const gone = await Promise.race([browser.close().catch(() => 'late'), patience]);
  clearTimeout(timer);
  if (gone !== 'late' || !child?.pid) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It went in between.
  }
}

async function serve(signal) {
  const server = createServer((request, response) => {
    const answer = request.url.startsWith('/q/') ? relay(signal, request) : file(request.url);
    answer
      .catch((error) => ({ status: 502, body: String(error) }))
      .then(({ status, type, body }) => {
        response.writeHead(status, type ? { 'content-type': type } : {});
        response.end(body);
      });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function relay(signal, request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = request.method === 'POST' ? Buffer.concat(chunks) : undefined;
  const answer = await fetch(`${signal}${request.url}`, { method: request.method, body });
  return { status: answer.status, body: answer.status === 204 ? undefined : await answer.text() };
}

async function file(path) {
  const type = FILES[path];
  if (!type) return { status: 404 };
  return { status: 200, type, body: await readFile(new URL(`.${path}`, import.meta.url)) };
}
