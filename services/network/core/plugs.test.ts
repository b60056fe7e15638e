import test from 'ava';
import fc from 'fast-check';
import { decidePlug, decideUnplug, type Plug } from './plugs.ts';

const web: Plug = {
  vm: 'web',
  index: 0,
  epoch: 4,
  network: 'default',
  mac: '00:16:3e:00:00:01',
  interface: 'vif3.0',
  bridge: 'xenbr0',
};

test('the newest claim is plugged, and plugging again takes nothing away', (t) => {
  const plug = { kind: 'plug', forget: [], leave: [] } as const;
  t.deepEqual(decidePlug([], 4, web), plug);
  t.deepEqual(decidePlug([web], 4, web), plug);
});

test('an older claim is refused while its successor is plugged, and after it has unplugged', (t) => {
  const old = { ...web, epoch: 3 };
  t.deepEqual(decidePlug([web], 0, old), { kind: 'stale', newest: 4 });
  t.deepEqual(decidePlug([], 4, old), { kind: 'stale', newest: 4 });
});

test('a domain that was built anew takes the place of the one before', (t) => {
  const rebooted = { ...web, interface: 'vif9.0' };
  t.deepEqual(decidePlug([web], 4, rebooted), { kind: 'plug', forget: [], leave: ['vif3.0'] });
});

test('an interface whose name comes again belongs to the newest plug alone', (t) => {
  const db = { ...web, vm: 'db', epoch: 1 };
  const decision = decidePlug([web], 1, db);
  t.deepEqual(decision, { kind: 'plug', forget: [{ vm: 'web', index: 0 }], leave: [] });
});

test('a claim unplugs what it or an older claim has, and nothing else', (t) => {
  t.is(decideUnplug([web], web), web);
  t.is(decideUnplug([web], { ...web, epoch: 5 }), web);
  t.is(decideUnplug([web], { ...web, epoch: 3 }), null);
  t.is(decideUnplug([web], { ...web, index: 1 }), null);
  t.is(decideUnplug([web], { ...web, vm: 'db' }), null);
  t.is(decideUnplug([], web), null);
});

const request = fc.record({
  kind: fc.constantFrom('plug' as const, 'unplug' as const),
  vm: fc.constantFrom('web', 'db'),
  index: fc.nat(1),
  epoch: fc.integer({ min: 1, max: 3 }),
  domain: fc.nat(2),
});

test('in every history a place has one plug, an interface one owner, and epochs only rise', (t) => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), (history) => {
      let plugged: readonly Plug[] = [];
      for (const { kind, domain, ...slot } of history) {
        const wanted = { ...web, ...slot, interface: `vif${domain}.${slot.index}` };
        const without = (gone: { vm: string; index: number }) =>
          plugged.filter((plug) => plug.vm !== gone.vm || plug.index !== gone.index);
        if (kind === 'unplug') {
          const gone = decideUnplug(plugged, wanted);
          if (gone !== null && gone.epoch > wanted.epoch) return false;
          if (gone !== null) plugged = without(gone);
          continue;
        }
        const before = plugged.find((plug) => plug.vm === slot.vm && plug.index === slot.index);
        const decision = decidePlug(plugged, 0, wanted);
        if (decision.kind === 'stale') {
          if ((before?.epoch ?? 0) <= wanted.epoch) return false;
          continue;
        }
        if (before !== undefined && before.epoch > wanted.epoch) return false;
        for (const gone of decision.forget) plugged = without(gone);
        plugged = [...without(wanted), wanted];
        const names = new Set(plugged.map((plug) => plug.interface));
        if (names.size !== plugged.length) return false;
      }
      return true;
    }),
  );
  t.pass();
});
