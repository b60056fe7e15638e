import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { buildGuestImage } from '../../deploy/guest-image/build.ts';
import { bootLab, type Lab } from './lab.ts';
import { elapsedReport } from './progress.ts';
import { storeCases, storeGuests } from './store-cases.ts';
import { startXenstoreDomain } from './xenstore-domain.ts';

/**
 * The xenstore of a real host is a domain of its own, made by `flotilla image build xenstore`. All the
 * while its init kills the xenstored in it, again and again: nobody is to notice.
 */
let lab: Lab;
let image: string;

const killing = 'flotilla.kill=90';

test.before('a host boots on it', async (t) => {
  t.timeout(2_400_000);
  image = await mkdtemp(join(tmpdir(), 'flotilla-xenstore-'));
  const { manifest } = await buildGuestImage(
    {
      ...{ service: 'xenstore', architecture: 'x86_64', kernel: 'cloud' },
      ...{ configuration: null, out: image },
    },
    elapsedReport(),
  );
  lab = await bootLab({ words: ['flotilla.xenstored=none'] });
  await startXenstoreDomain(lab.first, image, manifest, [killing]);
});

test.after.always('the host is gone', async () => {
  await lab?.close();
  await rm(image, { recursive: true, force: true });
});

test.serial('the control domain and Xen’s tools use the domain', async (t) => {
  t.timeout(300_000);
  const name = await lab.first.sh(
    'xenstore-read /local/domain/$(xenstore-read /tool/xenstored/domid)/name',
  );
  t.is(name.trim(), 'Xenstore');
  const [list] = [await lab.first.sh('xl list')];
  t.regex(list, /^Xenstore /m);
  const processes = await lab.first.sh('ps -A -o args');
  t.notRegex(processes, /xenstored/);
});

// The others look for the xenstored's process in the control domain.
const elsewhere = /guests of both types|saved and restored|migrates live/;

for (const { title, run } of storeCases.filter((each) => elsewhere.test(each.title)))
  test.serial(title, async (t) => {
    t.timeout(1_800_000);
    await run(lab.first, storeGuests(lab.first));
    t.pass();
  });
