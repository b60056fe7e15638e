import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { bytes } from '../../base/units.ts';
import type { DomainConfig, HypervisorErrorCode } from '../../hypervisor/port.ts';
import {
  bootable,
  type ContractCase,
  type ContractSubject,
  error,
  find,
  ownBackend,
  untilFree,
  value,
  withDomain,
} from './hypervisor-subject.ts';

const missing = '/nonexistent/flotilla';

/** A configuration is refused with this code and a detail like this, and leaves nothing behind. */
async function refuses(
  subject: ContractSubject,
  config: DomainConfig,
  code: HypervisorErrorCode,
  detail: RegExp,
): Promise<void> {
  const { hypervisor } = subject;
  const before = value(await hypervisor.info()).memoryFree;
  const refused = error(await hypervisor.createDomain(config));
  assert.equal(refused.code, code, refused.detail);
  assert.match(refused.detail, detail);
  assert.equal(await find(hypervisor, config.uuid), undefined);
  await untilFree(subject, before);
}

/** What is promised about building domains. */
export const configCases: readonly ContractCase[] = [
  {
    title: 'a created domain is listed, paused, as it was configured',
    run: async (subject) => {
      const config = bootable(subject, { vcpus: 2 });
      await withDomain(subject, config, async (id) => {
        const domain = await find(subject.hypervisor, config.uuid);
        assert.ok(domain !== undefined);
        assert.equal(domain.id, id);
        assert.equal(domain.name, config.name);
        assert.deepEqual(domain.state, { kind: 'paused' });
        assert.equal(domain.vcpus, 2);
        // Xen counts a few pages of its own (start info, console, special pages) either way.
        const slack = 8 * 2 ** 20;
        assert.ok(Math.abs(domain.memory - config.memory) <= slack, `${domain.memory} bytes`);
      });
    },
  },
  {
    title: 'a domain takes its memory from the host and gives it back when it is destroyed',
    run: async (subject) => {
      const { hypervisor } = subject;
      const config = bootable(subject);
      const before = value(await hypervisor.info()).memoryFree;
      await withDomain(subject, config, async () => {
        const during = value(await hypervisor.info()).memoryFree;
        assert.ok(
          before - during >= config.memory - 2 ** 20,
          `${before - during} bytes were taken`,
        );
      });
      await untilFree(subject, before);
    },
  },
  {
    title: 'a second domain of the same UUID is refused, and the first stays as it is',
    run: async (subject) => {
      const config = bootable(subject);
      await withDomain(subject, config, async (id) => {
        const again = { ...config, name: `${config.name}-2` };
        const refused = error(await subject.hypervisor.createDomain(again));
        assert.equal(refused.code, 'domain-exists');
        assert.match(refused.detail, new RegExp(config.uuid));
        const domain = await find(subject.hypervisor, config.uuid);
        assert.deepEqual([domain?.id, domain?.name], [id, config.name]);
      });
    },
  },
  {
    title: 'a second domain of the same name is refused',
    run: async (subject) => {
      const config = bootable(subject);
      await withDomain(subject, config, async () => {
        const other = bootable(subject, { name: config.name });
        const refused = error(await subject.hypervisor.createDomain(other));
        assert.equal(refused.code, 'domain-exists');
        assert.match(refused.detail, new RegExp(config.name));
        assert.equal(await find(subject.hypervisor, other.uuid), undefined);
      });
    },
  },
  {
    title: 'of two calls that build the same UUID at once, one succeeds',
    run: async (subject) => {
      const config = bootable(subject);
      const both = await Promise.all([
        subject.hypervisor.createDomain(config),
        subject.hypervisor.createDomain({ ...config, name: `${config.name}-2` }),
      ]);
      for (const built of both)
        if (built.ok) value(await subject.hypervisor.destroyDomain(built.value));
      assert.equal(both.filter((built) => built.ok).length, 1);
      assert.deepEqual(
        both.flatMap((built) => (built.ok ? [] : built.error.code)),
        ['domain-exists'],
      );
    },
  },
  {
    title: 'a missing kernel is named',
    run: (subject) =>
      refuses(
        subject,
        bootable(subject, { kernel: missing }),
        'boot-file-missing',
        /\/nonexistent/,
      ),
  },
  {
    title: 'a missing ramdisk is named',
    run: (subject) =>
      refuses(
        subject,
        bootable(subject, { ramdisk: missing }),
        'boot-file-missing',
        /\/nonexistent/,
      ),
  },
  {
    title: 'a kernel that is a directory is named',
    run: (subject) =>
      refuses(subject, bootable(subject, { kernel: tmpdir() }), 'boot-file-invalid', /tmp/),
  },
  {
    title: 'a disk without a device behind it is named',
    run: (subject) =>
      refuses(
        subject,
        bootable(subject, {
          disks: [{ vdev: 'xvda', path: missing, readOnly: false, ...ownBackend }],
        }),
        'device-unavailable',
        /xvda.*\/nonexistent/,
      ),
  },
  {
    title: 'a domain that asks for more memory than is free is refused',
    run: async (subject) => {
      const { memoryTotal } = value(await subject.hypervisor.info());
      const memory = bytes(memoryTotal + 2 ** 30);
      await refuses(subject, bootable(subject, { memory }), 'out-of-memory', /free/);
    },
  },
];
