/** Names for those who complete or correct a word: a pool that does not answer has none. */

import { NetworkService } from '../../proto/gen/flotilla.network.v1.ts';
import { StorageService } from '../../proto/gen/flotilla.storage.v1.ts';
import { askService } from './host-service.ts';
import { allPages, pageOf } from './pages.ts';
import type { PoolConnection } from './pool-connection.ts';

/** The names of all VMs. */
export async function vmNames(pool: PoolConnection): Promise<readonly string[]> {
  const vms = await allPages(pool, async (to, page, settings) =>
    pageOf(await to.vm.listVms(page, settings), ({ vms }) => vms),
  );
  return vms.ok ? vms.value.map((vm) => vm.name) : [];
}

/** The names of all hosts. */
export async function hostNames(pool: PoolConnection): Promise<readonly string[]> {
  const hosts = await allPages(pool, async (to, page, settings) =>
    pageOf(await to.pool.listHosts(page, settings), ({ hosts }) => hosts),
  );
  return hosts.ok ? hosts.value.map((host) => host.name) : [];
}

/** The names of all networks; none where no network service answers. */
export async function networkNames(pool: PoolConnection): Promise<readonly string[]> {
  const answer = await askService(pool, 'network', NetworkService, (to, settings) =>
    to.listNetworks({}, settings),
  );
  return (answer?.networks ?? []).map((network) => network.name);
}

/** The names of all storage repositories; none where no storage service answers. */
export async function srNames(pool: PoolConnection): Promise<readonly string[]> {
  const answer = await askService(pool, 'storage', StorageService, (to, settings) =>
    to.listSrs({}, settings),
  );
  return (answer?.srs ?? []).map((sr) => sr.name);
}

/** The ids of the operations that are under way: those that one may want to watch or cancel. */
export async function operationIds(pool: PoolConnection): Promise<readonly string[]> {
  const operations = await allPages(pool, async (to, page, settings) =>
    pageOf(
      await to.pool.listOperations({ ...page, active: true }, settings),
      ({ operations }) => operations,
    ),
  );
  return operations.ok ? operations.value.map((operation) => operation.id) : [];
}
