import { relativePathMax } from './path.ts';

/**
 * The bounds of what one domain may use, by the names that GET_QUOTA lists and the defaults of C
 * xenstored. A quota is the most that is allowed; 0 switches it off.
 */
export const quotaDefaults = {
  /** Nodes that a domain owns. */
  nodes: 1000,
  watches: 128,
  /** Replies that a domain has not taken, and events that its changes cause and others have not. */
  outstanding: 20,
  /** Bytes of the nodes that it owns, of its watches, transactions and what it has not taken. */
  memory: 2_621_440,
  transactions: 10,
  /** Nodes that one transaction reads or changes. */
  'transaction-nodes': 1024,
  /** Entries of one node's permissions. */
  permissions: 5,
  /** Bytes of a path, without the directory of a domain that it is in. */
  'path-max': relativePathMax,
  /** Bytes of one node: header, permissions, value and the names of its children. */
  'node-size': 2048,
} as const;

/** The name of a quota. */
export type QuotaName = keyof typeof quotaDefaults;

/** What `memory` should stay below: above it, a warning is logged. */
export const softMemoryDefault = 2_097_152;

/** Every quota, in the order in which they are listed. */
export const quotaNames = Object.keys(quotaDefaults) as readonly QuotaName[];

/** What each quota is for, in the words of `xenstore-control quota`. */
export const quotaDescriptions: Readonly<Record<QuotaName, string>> = {
  nodes: 'Nodes of a domain',
  watches: 'Watches of a domain',
  outstanding: 'Outstanding requests of a domain',
  memory: 'Memory of a domain in bytes',
  transactions: 'Open transactions of a domain',
  'transaction-nodes': 'Nodes used by one transaction',
  permissions: 'Permissions of a node',
  'path-max': 'Length of a path in bytes',
  'node-size': 'Size of a node in bytes',
};

/** Names that are read for a quota besides its own: C xenstored's. */
const aliases: Readonly<Record<string, QuotaName>> = { 'node-permissions': 'permissions' };

/** The values of one domain, or those that new domains get. */
export interface Quotas {
  readonly hard: Record<QuotaName, number>;
  softMemory: number;
}

/** Quotas as a xenstore begins with them. */
export function defaultQuotas(): Quotas {
  return { hard: { ...quotaDefaults }, softMemory: softMemoryDefault };
}

/** A copy, to be changed on its own. */
export function copyQuotas({ hard, softMemory }: Quotas): Quotas {
  return { hard: { ...hard }, softMemory };
}

/** The largest value: 32 bits, of which C keeps the last number for itself. */
const quotaValueMax = 0xfffffffe;

/** Which value a name stands for: a hard quota, the soft one, or none. */
export function findQuota(name: string): QuotaName | 'soft-memory' | undefined {
  if (name === 'soft-memory') return name;
  return quotaNames.find((each) => each === name) ?? aliases[name];
}

/** Reads a quota's value; undefined where it is not a number of 32 bits. */
export function parseQuotaValue(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text) || Number(text) > quotaValueMax) return undefined;
  return Number(text);
}
