import test from 'ava';
import { bootLab, type Lab } from './lab.ts';
import { storeCases, storeGuests } from './store-cases.ts';

/**
 * The xenstore of a real host is a domain of its own, made by `flotilla image build xenstore` and started
 * by the host's boot. All the while its init kills the xenstored in it, again and again: nobody is to
 * notice.
 */
let lab: Lab;

const words = ['flotilla.xenstored=domain', 'flotilla.xenstore-word=flotilla.kill=300'];

test.before('a host boots on it', async (t) => {
  t.timeout(2_400_000);
  lab = await bootLab({ images: ['xenstore'], words });
});

test.after.always('the host is gone', () => lab?.close());

test.serial("the control domain and Xen's tools use the domain", async (t) => {
  t.timeout(300_000);
  const name = await lab.first.sh(
    'xenstore-read /local/domain/$(xenstore-read /tool/xenstored/domid)/name',
  );
  t.is(name.trim(), 'Xenstore');
  t.regex(await lab.first.sh('xl list'), /^Xenstore /m);
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
