import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bootLab, type Lab } from './lab.ts';
import { checkout } from './toolstack.ts';

/** The suite of the hypervisor's port on libxl, in a control domain: it has no test runner. */
let lab: Lab;

test.before('a host boots, with the suite on it', async (t) => {
  t.timeout(1_500_000);
  lab = await bootLab();
  const suite = join(checkout, 'test/contract');
  const files = (await readdir(suite)).filter((name) => /^hypervisor(-.*)?\.ts$/.test(name));
  for (const name of files)
    await lab.first.put(`/opt/flotilla/test/contract/${name}`, await readFile(join(suite, name)));
});

test.after.always('the host is gone', async () => {
  await lab?.close();
});

for (const type of ['pv', 'pvh']) {
  test.serial(`libxl keeps the promises of the hypervisor's port, ${type}`, async (t) => {
    t.timeout(3_600_000);
    const program = '/opt/flotilla/test/contract/hypervisor-xen.ts';
    const run = await lab.first.exec(['node', program, '--type', type], { timeout: 3_500_000 });
    t.log(run.stdout);
    t.is(run.code, 0, run.stderr);
    t.regex(run.stdout, /^ok \d+ /m);
    t.notRegex(run.stdout, /^not ok /m);
    t.is((await lab.first.sh('xl list')).trim().split('\n').length, 2, 'a domain was left');
  });
}
