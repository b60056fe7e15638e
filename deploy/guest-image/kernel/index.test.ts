import { access } from 'node:fs/promises';
import test from 'ava';
import { architectures } from '../../../pool/images/manifest.ts';
import { insertionOrder } from '../../image/kernel-modules.ts';
import { kernelFacts } from './guest-kernel.ts';
import { buildGuestKernel } from './index.ts';

// Kernels are downloaded, compiled and booted, which takes minutes: only where it is asked for.
const whereAsked = process.env.FLOTILLA_KERNELS === '1' ? test.serial : test.skip;

for (const architecture of architectures)
  whereAsked(`the cloud kernel for ${architecture} has Xen's devices as modules`, async (t) => {
    t.timeout(600_000);
    const kernel = await buildGuestKernel('xenstore', architecture, 'cloud', (line) => t.log(line));
    await access(kernel.image);
    const modules = kernel.modules ?? '';
    const [first] = await insertionOrder(modules, ['xen-evtchn']);
    t.is(first?.name, 'xen_evtchn');
    const facts = await kernelFacts(kernel);
    t.is(facts.release, modules.slice(modules.lastIndexOf('/') + 1));
    t.true(facts.options > 1000 && facts.size > 2 ** 20);
  });
