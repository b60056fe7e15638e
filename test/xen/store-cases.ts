import assert from 'node:assert/strict';
import type { ControlDomain } from './control-domain.ts';
import { StoreGuest } from './store-guest.ts';

/** What the xenstored of a Xen host has to do, one after the other, with the guests of `StoreGuests`. */
export interface StoreCase {
  readonly title: string;
  run(host: ControlDomain, guests: StoreGuests): Promise<void>;
}

/** The guests, which `started` builds. */
export interface StoreGuests {
  readonly pv: StoreGuest;
  readonly pvh: StoreGuest;
}

/** The guests of a host, before they are there. */
export function storeGuests(host: ControlDomain): StoreGuests {
  return {
    pv: new StoreGuest(host, 'pv-store', '10.77.0.111'),
    pvh: new StoreGuest(host, 'pvh-store', '10.77.0.112'),
  };
}

/** Longest that a whole case takes on an emulated host. */
const patience = 600_000;

const logs = '/var/log/flotilla/xenstored.log /var/lib/flotilla/pool/*/logs/xenstore.log';

const started: StoreCase = {
  title: 'guests of both types find their devices by it, and read it themselves',
  run: async (_host, { pv, pvh }) => {
    await pv.create('pv');
    await pvh.create('pvh');
    assert.equal(await pv.read('name'), 'pv-store');
    assert.equal(await pvh.read('name'), 'pvh-store');
    assert.equal(await pv.read('/local/domain/0/name'), 'EACCES|');
    await pv.answers();
    await pvh.answers();
  },
};

/** What happens to it while a guest, and the control domain, write, read and watch without a pause. */
async function underLoad(
  host: ControlDomain,
  pv: StoreGuest,
  rounds: number,
  happens: string,
): Promise<void> {
  await host.put('/tmp/load', load, 0o755);
  await host.sh('setsid /tmp/load >/tmp/load.out 2>&1 </dev/null &');
  const before = await pv.count('xenstore loop: ');
  await pv.type(`xenstore loop ${rounds}`);
  await host
    .sh(happens, { timeout: patience })
    .finally(() => host.sh('touch /tmp/load.end', { timeout: patience }));
  assert.match(await pv.says('xenstore loop: ', before), new RegExp(`${rounds} rounds, 0 wrong`));
  assert.match(
    await host.until('grep "load:" /tmp/load.out', patience),
    /^load: \d+ rounds, 0 wrong, 0 events missing$/m,
  );
  assert.equal(await pv.read('name'), 'pv-store');
}

const pid = 'cat /run/flotilla/xenstored.pid';

/** How often it is killed. */
const kills = 10;

const killed: StoreCase = {
  title: `it is killed ${kills} times while guests and the control domain use it: nobody notices`,
  run: async (host, { pv }) => {
    const before = await host.sh(pid);
    await underLoad(host, pv, 60, killing);
    assert.notEqual(await host.sh(pid), before);
  },
};

/** How often it is updated. */
const updates = 3;

const updated: StoreCase = {
  title: `it becomes another program ${updates} times while they use it: nobody notices`,
  run: async (host, { pv, pvh }) => {
    const before = await host.sh(pid);
    await underLoad(host, pv, 40, updating);
    assert.equal(await host.sh(pid), before, 'the process stays');
    const became = await host.sh(`cat ${logs} 2>/dev/null | grep -c "becoming another program"`);
    assert.ok(Number(became) >= updates, became);
    assert.equal(await pvh.read('name'), 'pvh-store');
  },
};

/** Asks it to become itself anew, again and again: each time another process reads its state first. */
const updating = `
. /etc/profile
for update in $(seq ${updates}); do
  flotilla xenstored --live-update --data-dir /run/flotilla/xenstored || exit 1
  xenstore-read /local/domain/0/name >/dev/null || exit 1
done
`;

/** Writes and reads in the control domain until it is told to end; a watch must hear of each write. */
const load = `#!/bin/sh
rm -f /tmp/load.end
xenstore-write /load/count 0
stdbuf -oL xenstore-watch /load/count >/tmp/load.events &
watch=$!
until grep -q count /tmp/load.events; do sleep 0.1; done
count=0
wrong=0
until [ -e /tmp/load.end ]; do
  count=$((count + 1))
  xenstore-write /load/count $count || wrong=$((wrong + 1))
  [ "$(xenstore-read /load/count)" = $count ] || wrong=$((wrong + 1))
done
sleep 2
kill $watch
missing=$((count + 1 - $(wc -l </tmp/load.events)))
echo "load: $count rounds, $wrong wrong, $missing events missing"
`;

/** Kills it, and waits until another process serves, again and again. */
const killing = `
for kill in $(seq ${kills}); do
  pid=$(cat /run/flotilla/xenstored.pid)
  kill -9 $pid
  until new=$(cat /run/flotilla/xenstored.pid) && [ "$new" != $pid ] && [ -e /proc/$new ]; do sleep 0.1; done
  xenstore-read /local/domain/0/name >/dev/null || exit 1
done
`;

const hostile: StoreCase = {
  title: 'a guest that writes nonsense over its ring harms only itself',
  run: async (host, { pv, pvh }) => {
    const id = await pvh.id();
    await host.put('/opt/flotilla/test/xen/scribble.mjs', scribble);
    await host.sh(`. /etc/profile; node /opt/flotilla/test/xen/scribble.mjs ${id}`, {
      timeout: patience,
    });
    await host.sh(`cat ${logs} 2>/dev/null | grep "domain ${id} is served no longer"`);
    assert.equal(await pv.read('name'), 'pv-store');
    assert.equal((await host.sh('xenstore-read /local/domain/0/name')).trim(), 'Domain-0');
    assert.equal((await host.sh(`xenstore-read /local/domain/${id}/name`)).trim(), 'pvh-store');
    await pvh.answers();
    await pv.answers();
    await host.sh(`xl destroy ${id}`);
    await pvh.tidy();
  },
};

/**
 * Nonsense in all indexes and fields of a guest's page, thousands of times. It is written from the control
 * domain: Linux lets no program of the guest itself reach these bytes.
 */
const scribble = `
import { execFileSync } from 'node:child_process';
import { openLinuxXenstoreHost } from '/opt/flotilla/hypervisor/xen/xenstore-host.ts';
const id = Number(process.argv[2]);
const host = openLinuxXenstoreHost();
if (!host.ok) throw new Error(host.error.detail);
const page = host.value.mapRing(id);
if (!page.ok) throw new Error(page.error.detail);
const words = new Int32Array(page.value.memory);
let state = 1;
const random = () => (state = (Math.imul(state, 1103515245) + 12345) | 0);
for (let round = 0; round < 20; round += 1) {
  for (let time = 0; time < 500; time += 1)
    Atomics.store(words, 512 + (random() >>> 16) % 7, (random() >>> 16) % 3 === 0 ? random() : (random() >>> 16) % 2048);
  execFileSync('xenstore-write', ['/local/domain/' + id + '/control/sysrq', '']);
}
page.value.unmap();
host.value.close();
`;

const saved: StoreCase = {
  title: 'a PV guest that was saved and restored goes on with its devices',
  run: async (host, { pv }) => {
    await host.sh('xl save pv-store /var/lib/xen/pv-store.save', { timeout: patience });
    await host.sh('xl restore /var/lib/xen/pv-store.save', { timeout: patience });
    await pv.answers();
    assert.equal(await pv.read('name'), 'pv-store');
    await host.sh('rm /var/lib/xen/pv-store.save');
  },
};

const migrated: StoreCase = {
  title: 'a PVH guest migrates live',
  run: async (host, { pvh }) => {
    const before = await pvh.id();
    await host.sh("xl migrate -s '' pvh-store 'xl migrate-receive'", { timeout: patience });
    assert.notEqual(await pvh.id(), before);
    await pvh.answers();
    assert.equal(await pvh.read('name'), 'pvh-store');
  },
};

const ended: StoreCase = {
  title: 'a guest shuts down, and nothing is left of any',
  run: async (host, { pv }) => {
    await host.sh('xl shutdown -w pv-store', { timeout: patience });
    await host.until('[ "$(xl list | wc -l)" = 2 ]');
    assert.equal((await host.sh('xenstore-list /local/domain')).trim(), '0');
    await pv.tidy();
  },
};

/** All of them, in their order. */
export const storeCases: readonly StoreCase[] = [
  started,
  saved,
  migrated,
  updated,
  killed,
  hostile,
  ended,
];
