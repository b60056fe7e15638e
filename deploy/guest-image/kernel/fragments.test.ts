import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { architectures } from '../../../pool/images/manifest.ts';
import { serviceNames } from '../../../pool/records/host.ts';
import { fragmentFiles, serviceOptions } from './fragments.ts';

const all = architectures.flatMap((architecture) =>
  serviceNames.map((service) => ({ service, architecture })),
);

test('a service has the common parts, its own, and those of its architecture alone', (t) => {
  const there = [
    'common.config',
    'common.aarch64.config',
    'common.x86_64.config',
    'network.config',
    'xenstore.config',
  ];
  t.deepEqual(fragmentFiles(there, 'xenstore', 'x86_64'), [
    'common.config',
    'common.x86_64.config',
    'xenstore.config',
  ]);
});

test('each fragment that there is belongs to a kernel', async (t) => {
  const there = await readdir(join(import.meta.dirname, 'config'));
  const used = all.flatMap(({ service, architecture }) =>
    fragmentFiles(there, service, architecture),
  );
  t.deepEqual(
    there.filter((name) => !used.includes(name)),
    [],
  );
});

for (const { service, architecture } of all)
  test(`the fragments of ${service} for ${architecture} fit each other`, async (t) => {
    const options = await serviceOptions(service, architecture);
    t.is(options.get('XEN'), 'y');
    t.is(options.get('MODULES'), 'n');
  });

test('only services that the pool calls have TCP, only a driver domain has a backend', async (t) => {
  const value = async (service: (typeof serviceNames)[number], option: string) =>
    (await serviceOptions(service, 'x86_64')).get(option);
  t.is(await value('xenstore', 'INET'), 'n');
  t.is(await value('consensus', 'INET'), 'y');
  t.is(await value('consensus', 'XEN_BACKEND'), undefined);
  t.is(await value('network', 'XEN_NETDEV_BACKEND'), 'y');
  t.is(await value('network', 'XEN_BLKDEV_BACKEND'), undefined);
  t.is(await value('storage', 'XEN_NETDEV_BACKEND'), undefined);
});
