// Prints what the specifications of the command line define, as JSON: their interfaces,
// dictionaries and enums with all members, partial definitions joined to the one they extend.
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'webidl2';

const KINDS = ['interface', 'interface mixin', 'namespace', 'dictionary', 'enum'];
/** Have no members, and appear where they are used. */
const UNLISTED = ['typedef', 'callback', 'callback interface', 'includes'];

const definitions = new Map();
for (const spec of process.argv.slice(2)) {
  for (const parsed of parse(source(spec), { sourceName: spec })) add(spec, parsed);
}
const all = [...definitions.values()];
all.forEach(nameOverloads);
process.stdout.write(JSON.stringify(all));

/** A specification that the package leaves out lies beside this script. */
function source(spec) {
  const own = new URL(`./${spec}.idl`, import.meta.url);
  const packaged = new URL(`./node_modules/@webref/idl/${spec}.idl`, import.meta.url);
  return readFileSync(existsSync(own) ? own : packaged, 'utf8');
}

function add(spec, parsed) {
  if (UNLISTED.includes(parsed.type)) return;
  if (!KINDS.includes(parsed.type)) throw new Error(`${spec}: ${parsed.type} is not known here`);
  const { name, type: kind } = parsed;
  if (!definitions.has(name)) definitions.set(name, { spec, kind, name, members: [] });
  const definition = definitions.get(name);
  // Whoever defines it, and not who extends it, wherever each comes in the list.
  if (!parsed.partial) definition.spec = spec;
  const members = (parsed.values ?? parsed.members).map((member) => memberOf(spec, member));
  definition.members.push(...members);
}

function memberOf(spec, member) {
  const types = member.arguments?.map((it) => text(it.idlType)).join(', ');
  const of = (kind, name, more) => ({ spec, kind, name, types, writable: false, ...more });
  switch (member.type) {
    case 'attribute':
      if (text(member.idlType) === 'EventHandler') return of('event', member.name);
      return of('attribute', member.name, { writable: !member.readonly });
    case 'operation': return of('method', member.name);
    case 'constructor': return of('constructor', 'constructor');
    case 'field': return of('field', member.name);
    case 'enum-value': return of('value', member.value);
    case 'const': return of('constant', member.name);
    default: return of('protocol', member.type);
  }
}

/** One of several of the same name has the types of its arguments in its name. */
function nameOverloads(definition) {
  const names = definition.members.map(({ name }) => name);
  const count = (name) => names.filter((it) => it === name).length;
  for (const member of definition.members) {
    member.overloaded = count(member.name) > 1;
    if (member.overloaded) member.name += `(${member.types})`;
    delete member.types;
  }
}

function text(type) {
  if (typeof type === 'string') return type;
  const parts = [].concat(type.idlType).map(text);
  if (type.union) return `(${parts.join(' or ')})`;
  return type.generic ? `${type.generic}<${parts.join(', ')}>` : parts.join();
}
