import test from 'ava';
import { seededRandom } from '../../../base/random.ts';
import { LocalClient } from '../../../test/fixtures/local-client.ts';
import { MemoryHost, MemoryRings } from '../../../test/fixtures/memory-rings.ts';
import { Disk, Killed, Mortal, mortalPage } from '../../../test/fixtures/mortal.ts';
import { RingGuest } from '../../../test/fixtures/ring-guest.ts';
import { allFeatures } from '../core/domain.ts';
import { bytesOf } from '../core/payload.ts';
import { controlDomain, type DomainId } from '../core/permissions.ts';
import type { MessageName } from '../core/wire.ts';
import type { Beginning } from './daemon/options.ts';
import { Daemon } from './daemon.ts';
import { Journal } from './journal.ts';

/**
 * xenstored is killed between any two effects: a store or a copy into a page, a write or a rename of a
 * file. Guests, whose pages and programs go on, must not be able to tell.
 */

const guestIds = [7, 8] as const;

/** A host whose xenstored dies again and again; `lives` says after how many effects each time. */
async function runs(seed: number, steps: number, lives: (life: number) => number, updates = false) {
  const random = seededRandom(seed);
  const disk = new Disk();
  const host = new MemoryHost();
  let work: (() => void)[] = [];
  let rings: MemoryRings | null = null;
  let mortal = new Mortal(0);
  let daemon: Daemon | null = null;
  let life = 0;
  let journal: Journal | null = null;
  let beginning: Beginning = 'alone';

  const pages = new Map(
    [controlDomain, ...guestIds].map((id) => [id, host.add(id as DomainId, id)]),
  );
  const guests = [...pages].map(([id, shared]) => {
    const guest = new RingGuest(shared.page, `/guest/${id}`, random.fork(), () => {
      if (!mortal.dead) rings?.signal(id);
    });
    shared.onEvent = () => undefined;
    return guest;
  });

  const begin = () => {
    life += 1;
    mortal = new Mortal(lives(life));
    work = [];
    const own = mortal;
    const storage = disk.of(own, random);
    const mortalHost = new MemoryHost();
    for (const [id, { page, domain }] of pages) mortalHost.add(domain, id, mortalPage(page, own));
    rings = new MemoryRings(mortalHost, (each) => work.push(each));
    const opened = Journal.open(storage);
    if (!opened.ok) throw new Error(opened.error);
    journal = opened.value;
    const begun = Daemon.open(journal, { rings }, beginning);
    if (!begun.ok) throw new Error(mortal.dead ? 'dead' : begun.error);
    daemon = begun.value;
    if (beginning === 'handed over') daemon.goOn();
    beginning = 'alone';
    const client = new LocalClient(daemon, () => undefined);
    const ask = (name: MessageName, text: string) => client.request(name, 0, bytesOf(text));
    ask('WATCH', '/guest\0t\0');
    for (const id of [controlDomain, ...guestIds] as DomainId[]) {
      if (daemon.serves(id)) continue;
      ask('MKDIR', `/guest/${id}\0`);
      ask('SET_PERMS', `/guest/${id}\0n${id}\0`);
      if (id === controlDomain)
        daemon.introduce({ domain: controlDomain, gfn: 0, port: 1, features: allFeatures });
      else ask('INTRODUCE', `${id}\0${id}\x001\0`);
    }
    ask('READ', '/guest/7/a\0');
    // The guests' signals of before are lost: xenstored looks without.
  };

  const alive = (run: () => void) => {
    try {
      if (mortal.dead) begin();
      run();
    } catch (error) {
      if (!(error instanceof Killed) && !mortal.dead) throw error;
    }
  };

  mortal.dead = true;
  for (let step = 0; step < steps; step += 1) {
    alive(() => {
      if (random.chance(0.5)) work.shift()?.();
    });
    if (life > 0 && daemon !== null) random.pick(guests).act();
    if (random.chance(0.05)) await new Promise(setImmediate);
    if (updates && random.chance(0.01))
      alive(() => {
        const image = daemon?.image({ listening: 3, eventChannels: null });
        if (image !== undefined) journal?.snapshotAtOnce(image);
        beginning = 'handed over';
        mortal.dead = true;
      });
  }
  // From now on nothing dies, and all comes to its end.
  const last = () => Number.POSITIVE_INFINITY;
  lives = last;
  if (mortal.dead) alive(() => undefined);
  for (let round = 0; round < 2000 && guests.some((guest) => !guest.content); round += 1) {
    alive(() => {
      for (const each of work.splice(0)) each();
    });
    for (const guest of guests) guest.look();
  }
  return { guests, life, effects: mortal.effects };
}

for (const seed of [1, 2, 3, 4, 5, 6, 7, 8])
  test(`[X70] guests notice nothing of a xenstored that is killed again and again (seed ${seed})`, async (t) => {
    const random = seededRandom(seed * 1000);
    const { guests, life } = await runs(seed, 1500, () => 1 + random.below(160));
    t.true(life > 8, `${life} lives`);
    for (const guest of guests) {
      t.true(guest.content);
      t.true(guest.replies > 20, `${guest.replies} replies`);
    }
  });

test('[X71] guests notice nothing of live updates, nor of kills before and after them', async (t) => {
  const random = seededRandom(7);
  const { guests, life } = await runs(7, 1500, () => 1 + random.below(800), true);
  t.true(life > 12, `${life} lives`);
  for (const guest of guests) t.true(guest.content);
});

test('[X70] guests notice nothing of a xenstored that is killed once, at any of its effects', async (t) => {
  let effects = Number.POSITIVE_INFINITY;
  for (let last = 0; last < effects && last < 500; last += 1) {
    const outcome = await runs(42, 130, (life) => (life === 1 ? last : Number.POSITIVE_INFINITY));
    if (outcome.life === 1) effects = last;
    for (const guest of outcome.guests) t.true(guest.content, `killed after ${last} effects`);
  }
  t.true(effects > 80 && effects < 500, `${effects} effects`);
});
