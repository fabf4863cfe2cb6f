// The command line of every JavaScript peer: the flags of docs/interop.md.
import { parseArgs } from 'node:util';

const FLAGS = {
  signal: 'string', name: 'string', remote: 'string', offer: 'boolean', answer: 'boolean',
  data: 'string', negotiated: 'number', unordered: 'boolean', 'max-retransmits': 'number',
  'max-packet-life-time': 'number', protocol: 'string', count: 'number', size: 'number',
  echo: 'boolean', channels: 'number', close: 'string', seconds: 'number', json: 'boolean',
  loopback: 'boolean',
};

/** The flags as an object with camelCase names; ends the process with 2 when they make no sense. */
export function flags() {
  try {
    return check(parse());
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

function parse() {
  const typeOf = (kind) => ({ type: kind === 'boolean' ? 'boolean' : 'string' });
  const options = Object.fromEntries(Object.entries(FLAGS).map(([name, kind]) => [name, typeOf(kind)]));
  const found = {};
  for (const [name, value] of Object.entries(parseArgs({ options }).values)) {
    const camel = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    found[camel] = FLAGS[name] === 'number' ? Number(value) : value;
    if (Number.isNaN(found[camel])) throw new Error(`--${name} takes a number`);
  }
  return found;
}

function check(found) {
  for (const name of ['signal', 'name', 'remote']) {
    if (!found[name]) throw new Error(`--${name} is missing`);
  }
  if (Boolean(found.offer) === Boolean(found.answer)) throw new Error('either --offer or --answer');
  if (found.close && !['channel', 'connection'].includes(found.close)) {
    throw new Error('--close takes channel or connection');
  }
  return found;
}

export function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
