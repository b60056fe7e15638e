import type { ServiceName } from './records/host.ts';

/** Everything of the pool is below this prefix. */
export const root = '/flotilla/';

/** The kinds of records whose names are unique; a name is kept at `names/<kind>/<name>`. */
export const namedKinds = ['vm', 'host', 'sr', 'vdi', 'network'] as const;
export type NamedKind = (typeof namedKinds)[number];

/**
 * Prefixes of the pool's records, as `PoolDatabase.list` and `watch` take them. What one service
 * watches together has a beginning of its own, since its rights (`access.ts`) are given by prefixes,
 * and one watch must lie within them.
 */
export const prefixes = {
  vms: `${root}vms/`,
  vmStatuses: `${root}vm-status/`,
  vmNics: `${root}vm-nics/`,
  vmDisks: `${root}vm-disks/`,
  hosts: `${root}hosts/`,
  hostLeases: `${root}host-leases/`,
  reservations: `${root}reservations/`,
  reservationGuards: `${root}reservation-guards/`,
  srs: `${root}storage/srs/`,
  vdis: `${root}storage/vdis/`,
  attachments: `${root}storage/attachments/`,
  networks: `${root}networks/`,
  /** `network-bridges/<bridge>`: the id of the network that has this bridge on every host. */
  networkBridges: `${root}network-bridges/`,
  /** `first-networks/<name>`: the id of a network that was made because a configuration asks for it. */
  firstNetworks: `${root}first-networks/`,
  /** `images/<service>/<architecture>/<digest>`: signed manifests of guest images. */
  images: `${root}images/`,
  /** Public keys whose signatures of images the pool believes. */
  imageKeys: `${root}image-keys/`,
  /** `measurements/<host id>/<boot>/<sequence>`: what a host measured of the guests that it started. */
  measurements: `${root}measurements/`,
  /** `measurement-heads/<host id>`: where that chain ends. */
  measurementHeads: `${root}measurement-heads/`,
  /** `operations/<service>/<id>`: of the service that runs it. */
  operations: `${root}operations/`,
  events: `${root}events/`,
  /** `requests/<service>/<id>`: the operation that a request started, so that asking twice is asking once. */
  requests: `${root}requests/`,
  names: `${root}names/`,
} as const;

/**
 * Where the operations of a service are. Each has a place of its own, since their steps tell what they do to
 * whom, and who may write one has it done: another service is to do neither.
 */
export function operationsPrefix(service: ServiceName): string {
  return `${prefixes.operations}${service}/`;
}

/** Where the requests are that started operations of a service. */
export function requestsPrefix(service: ServiceName): string {
  return `${prefixes.requests}${service}/`;
}

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
