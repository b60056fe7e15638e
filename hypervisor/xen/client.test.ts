import { existsSync } from 'node:fs';
import test from 'ava';
import type { HypervisorError } from '../port.ts';
import { connectXen } from './index.ts';

const withoutXen = existsSync('/proc/xen/capabilities') ? test.skip : test;

async function refusal(worker?: readonly [string, ...string[]]): Promise<HypervisorError | null> {
  const hypervisor = connectXen(worker === undefined ? {} : { worker });
  const info = await hypervisor.info();
  await hypervisor.close();
  return info.ok ? null : info.error;
}

test('a worker that cannot be started is named', async (t) => {
  const refused = await refusal(['/nonexistent/worker']);
  t.is(refused?.code, 'hypervisor-unavailable');
  t.regex(refused?.detail ?? '', /\/nonexistent\/worker/);
});

test('a worker that ends before it is ready leaves its last words', async (t) => {
  const refused = await refusal(['/bin/sh', '-c', 'echo there is no Xen >&2; exit 7']);
  t.is(refused?.code, 'hypervisor-unavailable');
  t.regex(refused?.detail ?? '', /code 7: there is no Xen$/);
});

withoutXen('a machine that is no Xen host says so', async (t) => {
  const refused = await refusal();
  t.is(refused?.code, 'hypervisor-unavailable');
  t.regex(refused?.detail ?? '', /Xen's libraries|not a control domain of Xen/);
});
