import test from 'ava';
import fc from 'fast-check';
import { type Claim, decideAttach, decideDetach } from './fencing.ts';

const web: Claim = { vm: 'web', epoch: 4, readOnly: false };

test('a free disk is given to the newest claim', (t) => {
  t.deepEqual(decideAttach({ attached: null, newestEpoch: 4 }, web), { kind: 'attach' });
});

test('asking again under the same claim changes nothing', (t) => {
  t.deepEqual(decideAttach({ attached: web, newestEpoch: 4 }, web), { kind: 'already' });
});

test('a newer claim of the same VM takes over, whatever the mode was', (t) => {
  const known = { attached: { ...web, readOnly: true }, newestEpoch: 5 };
  t.deepEqual(decideAttach(known, { ...web, epoch: 5 }), { kind: 'attach' });
});

test('an older claim is refused while its successor has the disk, and after it let go', (t) => {
  const old = { ...web, epoch: 3 };
  const stale = { kind: 'stale', newest: 4 } as const;
  t.deepEqual(decideAttach({ attached: web, newestEpoch: 4 }, old), stale);
  t.deepEqual(decideAttach({ attached: null, newestEpoch: 4 }, old), stale);
});

test('another VM is refused while the disk is in use, and is told by whom', (t) => {
  const known = { attached: web, newestEpoch: 9 };
  const other = { vm: 'db', epoch: 9, readOnly: true };
  t.deepEqual(decideAttach(known, other), { kind: 'in-use', by: 'web' });
});

test('a claim cannot change its mode while it has the disk', (t) => {
  const known = { attached: web, newestEpoch: 4 };
  t.deepEqual(decideAttach(known, { ...web, readOnly: true }), { kind: 'other-mode' });
});

test('a claim that nobody made, and a VM that nobody has, are refused', (t) => {
  t.deepEqual(decideAttach({ attached: null, newestEpoch: 3 }, web), {
    kind: 'unclaimed',
    newest: 3,
  });
  t.deepEqual(decideAttach({ attached: null, newestEpoch: null }, web), { kind: 'no-vm' });
});

test('a claim detaches what it or an older claim of its VM has, and nothing else', (t) => {
  t.is(decideDetach(web, web), 'detach');
  t.is(decideDetach(web, { vm: 'web', epoch: 5 }), 'detach');
  t.is(decideDetach(web, { vm: 'web', epoch: 3 }), 'nothing');
  t.is(decideDetach(web, { vm: 'db', epoch: 9 }), 'nothing');
  t.is(decideDetach(null, web), 'nothing');
});

/** What may happen to one disk and two VMs, in any order, any number of times. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant('claim' as const), vm: fc.constantFrom('web', 'db') }),
  fc.record({
    kind: fc.constantFrom('attach' as const, 'detach' as const),
    vm: fc.constantFrom('web', 'db'),
    back: fc.integer({ min: -1, max: 3 }),
    readOnly: fc.boolean(),
  }),
);

test('in every history a disk has one holder, and what a VM was given never goes back in epoch', (t) => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (history) => {
      const epochs = new Map([
        ['web', 0],
        ['db', 0],
      ]);
      const given = new Map<string, number>();
      let attached: Claim | null = null;
      for (const event of history) {
        const newest = epochs.get(event.vm) ?? 0;
        if (event.kind === 'claim') {
          epochs.set(event.vm, newest + 1);
          continue;
        }
        const claim = { vm: event.vm, epoch: newest - event.back, readOnly: event.readOnly };
        if (event.kind === 'detach') {
          if (decideDetach(attached, claim) === 'detach') attached = null;
          continue;
        }
        const { kind } = decideAttach({ attached, newestEpoch: newest }, claim);
        if (kind !== 'attach' && kind !== 'already') continue;
        if (claim.epoch !== newest || claim.epoch < (given.get(claim.vm) ?? 0)) return false;
        if (attached !== null && attached.vm !== claim.vm) return false;
        given.set(claim.vm, claim.epoch);
        attached = claim;
      }
      return true;
    }),
  );
  t.pass();
});
