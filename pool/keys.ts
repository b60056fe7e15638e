/** Everything of the pool is below this prefix. */
export const root = '/flotilla/';

/** The kinds of records whose names are unique; a name is kept at `names/<kind>/<name>`. */
export const namedKinds = ['vm', 'host', 'sr', 'vdi', 'network'] as const;
export type NamedKind = (typeof namedKinds)[number];

/** Prefixes of the pool's records, as `PoolDatabase.list` and `watch` take them. */
export const prefixes = {
  vms: `${root}vms/`,
  vmStatuses: `${root}vm-status/`,
  hosts: `${root}hosts/`,
  hostLeases: `${root}host-leases/`,
  reservations: `${root}reservations/`,
  reservationGuards: `${root}reservation-guards/`,
  srs: `${root}srs/`,
  vdis: `${root}vdis/`,
  attachments: `${root}attachments/`,
  networks: `${root}networks/`,
  operations: `${root}operations/`,
  events: `${root}events/`,
  /** `requests/<id>`: the operation that a request started, so that asking twice is asking once. */
  requests: `${root}requests/`,
  names: `${root}names/`,
} as const;

/** Where the id of the record of this name is kept. */
export function nameKey(kind: NamedKind, name: string): string {
  return `${prefixes.names}${kind}/${name}`;
}

/** What a key of the name index stands for; null for other keys. */
export function parseNameKey(key: string): { kind: NamedKind; name: string } | null {
  if (!key.startsWith(prefixes.names)) return null;
  const [kindText, name] = key.slice(prefixes.names.length).split('/');
  const kind = namedKinds.find((candidate) => candidate === kindText);
  return kind === undefined || name === undefined ? null : { kind, name };
}
