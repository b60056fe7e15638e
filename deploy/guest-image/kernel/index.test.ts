import { access } from 'node:fs/promises';
import test from 'ava';
import { bytes } from '../../../base/units.ts';
import { architectures } from '../../../pool/images/manifest.ts';
import { serviceNames } from '../../../pool/records/host.ts';
import { insertionOrder } from '../../image/kernel-modules.ts';
import { bootKernel } from './boot/boot.ts';
import { kernelFacts } from './guest-kernel.ts';
import { buildGuestKernel } from './index.ts';

/**
 * Kernels are downloaded, compiled and booted, which takes minutes: only those that are asked for, such
 * as FLOTILLA_KERNELS="cloud-x86_64 xenstore-aarch64", or "all".
 */
const asked = (process.env.FLOTILLA_KERNELS ?? '').split(' ');
const where = (name: string) =>
  asked.includes(name) || asked.includes('all') ? test.serial : test.skip;

/** The first kernel of an architecture is compiled as a whole. */
const patience = 3_600_000;

/** What a specialised kernel may take: the targets of the guest images. */
const sizeMax = 6e6;
const smallGuest = bytes(64 * 2 ** 20);

for (const architecture of architectures) {
  where(`cloud-${architecture}`)(
    `the cloud kernel for ${architecture} has Xen's devices as modules`,
    async (t) => {
      t.timeout(patience);
      const report = (line: string): void => t.log(line);
      const kernel = await buildGuestKernel('xenstore', architecture, 'cloud', report);
      await access(kernel.image);
      const modules = kernel.modules ?? '';
      const [first] = await insertionOrder(modules, ['xen-evtchn']);
      t.is(first?.name, 'xen_evtchn');
      const facts = await kernelFacts(kernel);
      t.is(facts.release, modules.slice(modules.lastIndexOf('/') + 1));
      t.true(facts.options > 1000 && facts.size > 2 ** 20);
    },
  );

  for (const service of serviceNames)
    where(`${service}-${architecture}`)(
      `the kernel of ${service} for ${architecture} is small, and runs a program in 64 MiB`,
      async (t) => {
        t.timeout(patience);
        const report = (line: string): void => t.log(line);
        const kernel = await buildGuestKernel(service, architecture, 'specialised', report);
        const facts = await kernelFacts(kernel);
        t.regex(facts.release, /^\d+\.\d+\.\d+-flotilla$/);
        t.true(facts.size < sizeMax, `${facts.size} bytes`);
        t.is(kernel.modules, null);
        const booted = await bootKernel(kernel, architecture, smallGuest);
        t.log(JSON.stringify({ ...facts, ...booted }));
        t.true(booted.available > smallGuest / 4);
      },
    );
}
