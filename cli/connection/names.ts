import { ok, type Result } from '../../base/result.ts';
import type { Problem } from '../problem.ts';
import { allPages, pageOf } from './pages.ts';
import type { PoolConnection } from './pool-connection.ts';

/** The names of all VMs. */
export async function vmNames(pool: PoolConnection): Promise<Result<readonly string[], Problem>> {
  const vms = await allPages(pool, async (to, page, settings) =>
    pageOf(await to.vm.listVms(page, settings), ({ vms }) => vms),
  );
  return vms.ok ? ok(vms.value.map((vm) => vm.name)) : vms;
}

/** The names of all hosts. */
export async function hostNames(pool: PoolConnection): Promise<Result<readonly string[], Problem>> {
  const hosts = await allPages(pool, async (to, page, settings) =>
    pageOf(await to.pool.listHosts(page, settings), ({ hosts }) => hosts),
  );
  return hosts.ok ? ok(hosts.value.map((host) => host.name)) : hosts;
}

/** The ids of the operations that are under way: those that one may want to watch or cancel. */
export async function operationIds(
  pool: PoolConnection,
): Promise<Result<readonly string[], Problem>> {
  const operations = await allPages(pool, async (to, page, settings) =>
    pageOf(
      await to.pool.listOperations({ ...page, active: true }, settings),
      ({ operations }) => operations,
    ),
  );
  return operations.ok ? ok(operations.value.map((operation) => operation.id)) : operations;
}
