import { nameKey, operationsPrefix, prefixes, requestsPrefix, root } from './keys.ts';
import type { ServiceName } from './records/host.ts';

/** What a role may do with keys. */
export type Access = 'read' | 'write' | 'readwrite';

/** The keys that begin with `prefix`, or the one that is `key`. */
export type Keys = { readonly prefix: string } | { readonly key: string };

/** One permission, and why it cannot be left out. */
export type Right = Keys & { readonly access: Access; readonly why: string };

/** A host, as its rights depend on it. */
export interface HostIdentity {
  readonly id: string;
  readonly name: string;
}

/** Who may do what in the pool database, in the form that a member is configured with. */
export interface PoolRights {
  readonly roles: Readonly<Record<string, readonly (Keys & { readonly access: Access })[]>>;
  /** The roles of each identity, by its certificate's common name. */
  readonly users: Readonly<Record<string, readonly string[]>>;
}

/** The identity of who may do everything: see `cli/up/identities.ts`. */
export const operatorIdentity = 'operator';

/** The identity of a service of a host: the common name of its certificate. */
export function serviceIdentity(host: Pick<HostIdentity, 'name'>, service: ServiceName): string {
  return `${host.name}/${service}`;
}

/** The keys below some prefixes. */
function below(access: Access, why: string, ...of: readonly string[]): readonly Right[] {
  return of.map((prefix) => ({ prefix, access, why }));
}

/** The names of records of a kind: where their ids are looked up, and where a name is taken. */
function names(kind: Parameters<typeof nameKey>[0]): string {
  return nameKey(kind, '');
}

/**
 * What each service may do on every host: the least that it works with. What is not here, nobody but
 * the operator may do. A service that has no rights has no business with the pool database: it is no
 * user of it, and is refused everything but to ask who the members are.
 */
export const serviceRights: Readonly<Record<ServiceName, readonly Right[]>> = {
  'vm-lifecycle': [
    ...below('read', 'answers the API for all that the pool has', root),
    ...below('write', 'records VMs, and what they are', prefixes.vms, prefixes.vmStatuses),
    ...below(
      'write',
      'tells the storage and network services what they may know of VMs',
      prefixes.vmDisks,
      prefixes.vmNics,
    ),
    ...below('write', 'takes and frees the names of VMs', names('vm')),
    ...below(
      'write',
      'reserves memory for a VM on the host where it is placed',
      prefixes.reservations,
      prefixes.reservationGuards,
    ),
    ...below(
      'write',
      'records operations, runs its own, and removes old ones',
      prefixes.operations,
      prefixes.requests,
    ),
    ...below('write', 'tells operators what happened', prefixes.events),
    ...below(
      'write',
      'records signed manifests, and whom to believe, for the operator alone',
      prefixes.images,
      prefixes.imageKeys,
    ),
  ],
  storage: [
    ...below(
      'readwrite',
      'keeps SRs, VDIs, and who has them attached',
      `${root}storage/`,
      names('sr'),
      names('vdi'),
    ),
    ...below('read', 'fences attachments by claims, and keeps used VDIs', prefixes.vmDisks),
    ...below(
      'read',
      'places VDIs on hosts that are up',
      prefixes.hosts,
      prefixes.hostLeases,
      names('host'),
    ),
    ...below(
      'readwrite',
      'records operations, runs its own, and removes old ones',
      operationsPrefix('storage'),
      requestsPrefix('storage'),
    ),
  ],
  network: [
    ...below('readwrite', 'keeps networks', prefixes.networks, names('network')),
    ...below('readwrite', 'gives each network a bridge of its own', prefixes.networkBridges),
    ...below('readwrite', 'makes the first networks once', prefixes.firstNetworks),
    ...below('read', 'fences interfaces by claims, and keeps used networks', prefixes.vmNics),
  ],
  // It keeps the xenstore of its host in its own files.
  xenstore: [],
  // Members talk to one another on a port of their own, where only they are served.
  consensus: [],
};

/** What a service may do on its own host alone. */
export function hostRights(service: ServiceName, host: HostIdentity): readonly Right[] {
  if (service !== 'vm-lifecycle') return [];
  const registers = { access: 'write', why: 'registers its host, and keeps it up' } as const;
  const measures = {
    access: 'write',
    why: 'tells what it measured of the guests of its host',
  } as const;
  return [
    { key: `${prefixes.hosts}${host.id}`, ...registers },
    { key: `${prefixes.hostLeases}${host.id}`, ...registers },
    { key: nameKey('host', host.name), ...registers },
    { prefix: `${prefixes.measurements}${host.id}/`, ...measures },
    { key: `${prefixes.measurementHeads}${host.id}`, ...measures },
  ];
}

/** The roles and users of a pool of these hosts, with its operator. */
export function poolRights(hosts: readonly HostIdentity[]): PoolRights {
  const roles: Record<string, PoolRights['roles'][string]> = {};
  const users: Record<string, readonly string[]> = { [operatorIdentity]: ['root'] };
  for (const [service, rights] of Object.entries(serviceRights))
    if (rights.length > 0) roles[service] = rights.map(withoutWhy);
  for (const host of hosts) {
    const added = hostAccess(host);
    Object.assign(roles, added.roles);
    Object.assign(users, added.users);
  }
  return { roles, users };
}

/** What one more host adds to them: its own roles, and its services as users. */
export function hostAccess(host: HostIdentity): PoolRights {
  const roles: Record<string, PoolRights['roles'][string]> = {};
  const users: Record<string, readonly string[]> = {};
  for (const service of Object.keys(serviceRights) as ServiceName[]) {
    if (serviceRights[service].length === 0) continue;
    const identity = serviceIdentity(host, service);
    const own = hostRights(service, host);
    if (own.length > 0) roles[identity] = own.map(withoutWhy);
    users[identity] = own.length > 0 ? [service, identity] : [service];
  }
  return { roles, users };
}

function withoutWhy({ why: _, ...right }: Right): Keys & { readonly access: Access } {
  return right;
}
