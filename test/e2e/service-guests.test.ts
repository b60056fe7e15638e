import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { sha256Of } from '../../pool/images/digest.ts';
import { GuestHost } from './guest-host.ts';
import { eventually } from './pool-process.ts';

test("a host's guests are started, adopted after a kill, started again, and refused when changed", async (t) => {
  t.timeout(300_000);
  const host = new GuestHost();
  t.teardown(() => host.dispose());
  await host.begin();
  host.supervise();

  // In order, each with its disks and its interface.
  const first = await host.serving('consensus');
  const ids = [first, await host.serving('network'), await host.serving('storage')] as const;
  t.deepEqual(
    [...ids],
    [...ids].sort((a, b) => a - b),
  );
  t.deepEqual(
    (await host.domains()).map(({ name, state }) => [name, state.kind]),
    host.services.map((service) => [`flotilla-${service}`, 'running']),
  );
  const devices = await host.hypervisor.connectedDevices(ids[0]);
  t.like(devices, {
    value: {
      disks: [
        { vdev: 'xvda', path: join(host.directory, 'data', 'consensus.img'), readOnly: false },
        {
          vdev: 'xvdb',
          path: join(host.directory, 'guests', 'consensus', 'seed.img'),
          readOnly: true,
        },
      ],
      nics: [0],
    },
  });

  // A second supervisor touches nothing.
  const second = await host.run();
  t.is(second.code, 1);
  t.regex(second.stderr, /another supervisor serves/);

  // One that was killed is followed by one that finds them all.
  await host.kill();
  host.supervise();
  const adopted = [];
  for (const service of host.services) adopted.push(await host.serving(service));
  t.deepEqual(adopted, [...ids]);
  t.regex(host.output, /runs already, as domain/);
  t.is((await host.domains()).length, 3);

  // A guest that crashes is started again, and the others are left alone. The network guest is a driver
  // domain: it takes the number that it had, which its guests' grants are made out to.
  const console = await host.hypervisor.openConsole(ids[1]);
  if (!console.ok) return t.fail(console.error.detail);
  console.value.write(Buffer.from('crash\r'));
  t.is(await host.serving('network', 1), ids[1]);
  t.is((await host.domains('network')).length, 1);
  t.regex(host.output, /it stopped \(crash\)/);

  // One that hangs is destroyed, and started again.
  const heal = host.standIns.get('storage')?.hang();
  await eventually(
    () => host.status('storage'),
    (found) => found?.state !== 'serving',
    'the hung guest is destroyed',
  );
  heal?.();
  t.is(await host.serving('storage', 1), ids[2]);
  t.regex(host.output, /it was silent for 1 s/);

  // The operator starts one anew, and is told how long it was away.
  const restarted = await host.run('restart', 'consensus');
  t.is(restarted.code, 0, restarted.stderr);
  t.regex(
    restarted.stdout,
    /is asked to stop.*runs, as domain.*serves again; it was away for [\d.]+ s/s,
  );
  t.not(await host.serving('consensus', 1), ids[0]);

  // One bit changed in a kernel: it doesn't start, and says why.
  const kernel = join(host.directory, 'images', 'consensus', 'vmlinuz');
  const signed = readFileSync(kernel);
  const changed = Buffer.from(signed);
  changed.writeUInt8(changed.readUInt8(0) ^ 1, 0);
  writeFileSync(kernel, changed);
  const refused = await host.run('restart', 'consensus');
  t.is(refused.code, 1);
  t.true(
    refused.stderr.includes(
      `vmlinuz (kernel): expected SHA-256 ${sha256Of(signed)}, found ${sha256Of(changed)}`,
    ),
    refused.stderr,
  );
  t.like(await host.status('consensus'), { state: 'refused', id: null });
  t.deepEqual(await host.domains('consensus'), []);
  const status = await host.run('status');
  t.regex(status.stdout, /^consensus {2}refused {2}- {2}.*vmlinuz/m);
  t.regex(status.stdout, new RegExp(`^network  serving  domain ${ids[1]}$`, 'm'));
  t.regex(status.stdout, new RegExp(`^storage  serving  domain ${ids[2]}$`, 'm'));

  // Put right, it starts again.
  writeFileSync(kernel, signed);
  t.is((await host.run('restart', 'consensus')).code, 0);
  await host.serving('consensus', 2);

  // Asked to end, the supervisor leaves the guests as they are.
  await host.kill('SIGTERM');
  t.is((await host.domains()).length, 3);
});
