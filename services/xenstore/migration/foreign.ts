import { fail, ok, type Result } from '../../../base/result.ts';
import { type Change, trusted } from '../core/change.ts';
import { allFeatures, conflictCredit, type DomainDump, nothing } from '../core/domain.ts';
import type { StoreDump } from '../core/dump.ts';
import { domainPath, formatPath } from '../core/path.ts';
import { controlDomain, type DomainId, type Permissions } from '../core/permissions.ts';
import { copyQuotas, defaultQuotas, findQuota, type Quotas } from '../core/quota.ts';
import type { ConnectionDump } from '../core/sessions.ts';
import { Transaction, type TransactionDump } from '../core/transaction.ts';
import { type Node, nodeAt } from '../core/tree.ts';
import {
  accesses,
  noDomain,
  type QuotaValue,
  type StreamRecord,
  unlimitedDepth,
} from './records.ts';
import { readStream } from './stream.ts';
import { nodesOf, pathOfText, TreeDraft } from './trees.ts';

/** The generation of everything that comes from a stream, which has no generations. */
const firstGeneration = 1;

const privately: Permissions = [{ domain: controlDomain, read: false, write: false }];

type Of<Kind extends StreamRecord['kind']> = Extract<StreamRecord, { readonly kind: Kind }>;

/**
 * Makes a store of a migration stream, whoever has written it: its nodes, domains, quotas, connections
 * with their watches, and pending transactions as far as the stream tells of them. What a client has not
 * taken is nobody's to pay for; credits, peaks and questions begin anew.
 */
export function storeOfStream(content: Buffer): Result<StoreDump, string> {
  const stream = readStream(content);
  if (!stream.ok) return stream;
  const { records } = stream.value;
  const of = <Kind extends StreamRecord['kind']>(kind: Kind): readonly Of<Kind>[] =>
    records.filter((record): record is Of<Kind> => record.kind === kind);
  const top = treeOf(of('node'));
  if (top === null) return fail('its nodes do not make a tree');
  const quotas = defaultQuotas();
  for (const { domains } of of('global-quota')) setQuotas(quotas, domains);
  const domains = new Map<number, Mutable<DomainDump>>();
  const domainOf = (id: number): Mutable<DomainDump> => {
    const known = domains.get(id) ?? newDomain(id as DomainId, quotas);
    domains.set(id, known);
    return known;
  };
  domainOf(controlDomain).introduced = true;
  for (const { domain, features, quotas: own } of of('domain')) {
    if (stream.value.version > 1) domainOf(domain).features = features;
    setQuotas(domainOf(domain).quotas, own);
  }
  const connections: ConnectionDump[] = [];
  for (const { id, spec } of of('connection')) {
    const domain = domainOf(spec.kind === 'ring' ? spec.domain : controlDomain);
    if (connections.some((each) => each.id === id)) return fail(`connection ${id} is there twice`);
    if (spec.kind === 'ring') {
      domain.introduced = true;
      domain.target = spec.target === noDomain ? null : (spec.target as DomainId);
    }
    domain.connections = [...domain.connections, id];
    const transactions = transactionsOf(id, of('transaction'), of('node'), top);
    if (transactions === null) return fail(`a transaction of connection ${id} has no place`);
    domain.used.transactions += transactions.length;
    for (const { bytes } of transactions) domain.used.memory += bytes;
    const unread = { sent: 0, taken: 0, queue: [] };
    connections.push({ id, domain: domain.id, unread, transactions });
  }
  const watches = of('watch').flatMap(({ connection, path, token, depth }) => {
    const owner = connections.find(({ id }) => id === connection)?.domain;
    const relative = !/^[/@]/.test(path);
    if (owner === undefined) return [];
    const place = pathOfText(relative ? `${domainPath(owner)}/${path}` : path);
    if (place === null) return [];
    const used = domainOf(owner).used;
    used.watches += 1;
    used.memory += formatPath(place).length + token.length;
    const hidden = relative ? domainPath(owner).length + 1 : 0;
    const reach = depth === unlimitedDepth ? null : depth;
    return [{ connection, path: place, token, hidden, depth: reach }];
  });
  if (watches.length < of('watch').length) return fail('a watch has no connection or no path');
  for (const { node } of nodesOf(top)) {
    const { used } = domainOf(node.permissions[0].domain);
    used.nodes += 1;
    used.memory += sizeOf(node);
  }
  domainOf(controlDomain).used.memory += sizeOf(top);
  return ok({
    top,
    generation: firstGeneration + 1,
    nextTicket: 1,
    nextTransaction: 1 + Math.max(0, ...of('transaction').map(({ id }) => id)),
    awake: false,
    quotas,
    domains: [...domains.values()].map((domain) => ({ ...domain, peak: { ...domain.used } })),
    connections,
    watches,
    waiting: [],
    spoilers: [],
    debtors: [],
  });
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function newDomain(id: DomainId, quotas: Quotas): Mutable<DomainDump> {
  return {
    id,
    quotas: copyQuotas(quotas),
    used: nothing(),
    peak: nothing(),
    connections: [],
    introduced: false,
    shutdown: false,
    features: allFeatures,
    target: null,
    credit: conflictCredit,
    held: false,
    warned: false,
  };
}

function setQuotas(quotas: Quotas, values: readonly QuotaValue[]): void {
  for (const [name, value] of values) {
    const quota = findQuota(name);
    if (quota === 'soft-memory') quotas.softMemory = value;
    else if (quota !== undefined) quotas.hard[quota] = value;
  }
}

/** What a node costs without what is below it. */
function sizeOf({ bytes, children }: Node): number {
  let below = 0;
  children.forEach((child) => {
    below += child.bytes;
  });
  return bytes - below;
}

function treeOf(nodes: readonly Of<'node'>[]): Node | null {
  const draft = new TreeDraft(privately, null);
  const special = new Set(['@introduceDomain', '@releaseDomain']);
  for (const { connection, path: text, value, permissions } of nodes) {
    if (connection !== 0) continue;
    const path = pathOfText(text);
    if (path === null || permissions === null) return null;
    if (!draft.add(path, value, permissions, null)) return null;
    special.delete(text);
  }
  for (const name of special) draft.add([name], new Uint8Array(0), privately, null);
  const tree = draft.finish({
    contentGeneration: firstGeneration,
    childrenGeneration: firstGeneration,
    changedBy: controlDomain,
  });
  return nodeAt(tree, ['']) === undefined ? null : tree;
}

/** Makes pending transactions again, by what they have read and changed; null where that cannot be. */
function transactionsOf(
  connection: number,
  transactions: readonly Of<'transaction'>[],
  nodes: readonly Of<'node'>[],
  base: Node,
): TransactionDump[] | null {
  const made: TransactionDump[] = [];
  for (const { connection: owner, id } of transactions) {
    if (owner !== connection) continue;
    const transaction = new Transaction(base, firstGeneration);
    for (const node of nodes)
      if (node.connection === connection && node.transaction === id && !repeat(transaction, node))
        return null;
    made.push({ id, ...transaction.dump() });
  }
  return made;
}

/** Reads and changes a node as a transaction is told to have done; false where that is not possible. */
function repeat(transaction: Transaction, node: Of<'node'>): boolean {
  const { access, value, permissions } = node;
  const path = pathOfText(node.path);
  if (path === null) return false;
  if ((access & accesses.read) !== 0)
    for (const aspect of ['value', 'permissions', 'children'] as const)
      transaction.read(path, aspect);
  const changes: Change[] = [];
  if (permissions === null) changes.push({ kind: 'remove', path });
  else if ((access & accesses.written) !== 0)
    changes.push({ kind: 'write', path, value }, { kind: 'permissions', path, permissions });
  const stamp = { by: controlDomain, generation: firstGeneration + 1 };
  const maker = trusted(controlDomain);
  return changes.every((change) => transaction.change(change, maker, stamp).ok);
}
