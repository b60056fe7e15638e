import assert from 'node:assert/strict';
import { backendCases } from './hypervisor-backends.ts';
import { configCases } from './hypervisor-config.ts';
import { deviceCases } from './hypervisor-devices.ts';
import { lifeCases } from './hypervisor-life.ts';
import type { ContractCase } from './hypervisor-subject.ts';

/**
 * What every implementation of the hypervisor's port does: the simulated one in its process, the
 * simulated one behind its socket, and libxl in the lab. The cases know no test runner, for the
 * lab's control domain has none.
 */
const infoCases: readonly ContractCase[] = [
  {
    title: 'info tells the kind, the version, the CPUs and the memory',
    run: async ({ hypervisor, kind }) => {
      const info = await hypervisor.info();
      assert.ok(info.ok);
      assert.equal(info.value.kind, kind);
      assert.match(info.value.version, kind === 'xen' ? /^\d+\.\d+\S*$/ : /^simulated$/);
      assert.ok(info.value.cpus >= 1);
      assert.ok(info.value.memoryTotal > 0);
      assert.ok(info.value.memoryFree <= info.value.memoryTotal);
    },
  },
  {
    title: 'domain 0 is not listed',
    run: async ({ hypervisor }) => {
      const listed = await hypervisor.listDomains();
      assert.ok(listed.ok);
      assert.ok(listed.value.every(({ id }) => id > 0));
    },
  },
];

/** The whole suite. */
export const hypervisorContract: readonly ContractCase[] = [
  ...infoCases,
  ...configCases,
  ...lifeCases,
  ...deviceCases,
  ...backendCases,
];
