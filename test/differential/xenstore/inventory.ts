import { messageTypes as types } from '../../../services/xenstore/core/wire.ts';
import { guests, type Inventory, type Node, type Reply, type Step, type Told } from './step.ts';
import type { Subject } from './subject.ts';

/** Children of the root in oxenstored of 4.17, and what only one daemon says of itself. */
const itsOwn: ReadonlySet<string> = new Set([
  ...['/@introduceDomain', '/@releaseDomain', '/tool/xenstored'],
]);

/**
 * What there is in a xenstored, as the control domain sees it: without it, stores that are not the same
 * any more would be noticed long after what has parted them, if at all. Null where nobody answers.
 */
export async function takeInventory(subject: Subject, after: Told): Promise<Inventory | null> {
  if (['crashed', 'waiting'].includes(after.reply.kind)) return null;
  const nodes: Record<string, Node | string> = {};
  const rest = ['/'];
  for (let path = rest.pop(); path !== undefined; path = rest.pop()) {
    if (itsOwn.has(path)) continue;
    const [permissions, value, children] = [
      textIn(await ask(subject, types.GET_PERMS, path)),
      textIn(await ask(subject, types.READ, path)),
      textIn(await ask(subject, types.DIRECTORY, path)),
    ];
    const refused = [permissions, value, children].find((each) => !each.ok);
    if (refused !== undefined) nodes[path] = refused.text;
    else nodes[path] = { permissions: stringsOf(permissions.text), value: value.text };
    if (!children.ok) continue;
    const names = stringsOf(children.text).sort();
    rest.push(...names.map((name) => (path === '/' ? `/${name}` : `${path}/${name}`)));
  }
  const served: number[] = [];
  for (const domain of Object.values(guests)) {
    const { text } = textIn(await ask(subject, types.IS_DOMAIN_INTRODUCED, `${domain}`));
    if (text.startsWith('T')) served.push(domain);
  }
  return { nodes, served };
}

async function ask(subject: Subject, type: number, text: string): Promise<Reply> {
  const step: Step = { kind: 'request', by: 'one', type, transaction: 0, payload: `${text}\0` };
  const { reply } = await subject.perform(step);
  return reply;
}

interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

function textIn(reply: Reply): Answer {
  if (reply.kind !== 'reply') return { ok: false, text: reply.kind };
  if (reply.type === types.ERROR) return { ok: false, text: reply.payload.slice(0, -1) };
  return { ok: true, text: reply.payload };
}

function stringsOf(text: string): string[] {
  return text.split('\0').slice(0, -1);
}

/** The nodes that would be left of these if a domain went, with what is below its nodes. */
export function withoutDomain(nodes: Inventory['nodes'], gone: number): Inventory['nodes'] {
  const isOf = (entry: string) => entry.slice(1) === `${gone}`;
  const left: Record<string, Node | string> = {};
  for (const [path, node] of Object.entries(nodes)) {
    const parent = path.slice(0, path.lastIndexOf('/')) || '/';
    if (path !== '/' && !(parent in left)) continue;
    if (typeof node === 'string') {
      left[path] = node;
      continue;
    }
    const [owner = '', ...others] = node.permissions;
    if (isOf(owner) && path !== '/') continue;
    const first = isOf(owner) ? 'n0' : owner;
    left[path] = { ...node, permissions: [first, ...others.filter((each) => !isOf(each))] };
  }
  return left;
}

/**
 * Without the entries of permissions that only these nodes have and not `others`, and that name a domain
 * which is gone: C shows them, though they grant nothing.
 */
export function withoutStale(
  nodes: Inventory['nodes'],
  others: Inventory['nodes'],
  gone: ReadonlySet<number>,
): Inventory['nodes'] {
  return Object.fromEntries(
    Object.entries(nodes).map(([path, node]) => {
      const other = others[path];
      if (typeof node === 'string' || other === undefined || typeof other === 'string')
        return [path, node];
      const permissions = withoutStaleEntries(node.permissions, other.permissions, gone);
      return [path, { ...node, permissions }];
    }),
  );
}

/** The same of the permissions of one node. */
export function withoutStaleEntries(
  [owner, ...entries]: readonly string[],
  others: readonly string[],
  gone: ReadonlySet<number>,
): readonly string[] {
  const left = entries.filter(
    (each) => others.includes(each, 1) || !gone.has(Number(each.slice(1))),
  );
  return owner === undefined ? [] : [owner, ...left];
}
