import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { bootLab, type Lab } from './lab.ts';
import { storeCases, storeGuests } from './store-cases.ts';
import { checkout } from './toolstack.ts';

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

test.serial('a xenstored that is to take over from it is a gateway to it', async (t) => {
  t.timeout(1_200_000);
  for (const name of ['xenstore-grpc.ts', 'xenstore-grpc-xen.ts'])
    await lab.first.put(
      `/opt/flotilla/test/contract/${name}`,
      await readFile(join(checkout, 'test/contract', name)),
    );
  const address = '127.0.0.1:7999';
  const log = '/var/log/gateway.log';
  await lab.first.sh(
    `. /etc/profile; setsid flotilla xenstored --take-over --pid-file /run/no-such.pid --listen ${address} >${log} 2>&1 </dev/null &`,
  );
  await lab.first.until(`grep -q '"msg":"serving"' ${log}`);
  t.regex(
    await lab.first.sh(`cat ${log}`),
    /gateway to the xenstore of this host.*xenstore domain/,
  );
  const program = '/opt/flotilla/test/contract/xenstore-grpc-xen.ts';
  const run = await lab.first.exec(`. /etc/profile; node ${program} --address ${address}`, {
    timeout: 900_000,
  });
  t.log(run.stdout);
  t.is(run.code, 0, run.stderr);
});
