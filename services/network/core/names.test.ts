import test from 'ava';
import fc from 'fast-check';
import { bridgeNameOf, checkBridgeName, isBackendInterface, mtuFor } from './names.ts';

test('the bridge of any network has a name that Linux takes', (t) => {
  fc.assert(
    fc.property(fc.uuid(), (id) => {
      const name = bridgeNameOf(id);
      return name.length === 15 && checkBridgeName(name).ok;
    }),
  );
  t.is(bridgeNameOf('0f6e5c1a-9b3d-4c2e-8a47-2f1f6f0d9d11'), 'fl-0f6e5c1a9b3d');
});

test('names that Linux or the host has no room for are refused with the reason', (t) => {
  t.true(checkBridgeName('xenbr0').ok);
  t.true(checkBridgeName('br-storage.10').ok);
  t.deepEqual(checkBridgeName('a-name-too-long-'), {
    ok: false,
    error: 'it has 16 characters, and Linux allows 15',
  });
  for (const name of ['', '0br', 'Br0', 'br 0', 'br/0', '-br', '..', 'br0\n', 'brü'])
    t.deepEqual(checkBridgeName(name), {
      ok: false,
      error: 'it is not a letter of a to z, followed by a to z, 0 to 9, dots and hyphens',
    });
  for (const name of ['lo', 'eth0', 'enp3s0', 'vif3.0', 'tap1', 'bond0'])
    t.deepEqual(checkBridgeName(name), {
      ok: false,
      error: 'interfaces of another kind have such names',
    });
});

test('an MTU is what was asked for within the bounds, and 1500 when nothing was', (t) => {
  t.deepEqual(mtuFor(0), { ok: true, value: 1500 });
  t.deepEqual(mtuFor(68), { ok: true, value: 68 });
  t.deepEqual(mtuFor(9216), { ok: true, value: 9216 });
  for (const mtu of [-1, 1, 67, 9217, 1500.5, Number.NaN]) t.false(mtuFor(mtu).ok, String(mtu));
});

test('only the backend interface of the very NIC is one that may be plugged', (t) => {
  fc.assert(
    fc.property(fc.nat(32_751), fc.nat(7), (domain, index) =>
      isBackendInterface(`vif${domain}.${index}`, index),
    ),
  );
  t.true(isBackendInterface('vif12.1-emu', 1));
  const refused = [
    ['vif3.1', 0],
    ['vif03.0', 0],
    ['vif3.00', 0],
    ['eth0', 0],
    ['lo', 0],
    ['vif3.0\n', 0],
    [' vif3.0', 0],
    ['vif3.0;reboot', 0],
    ['../vif3.0', 0],
    ['vif99999.100-emu', 100],
    ['vif100000.0', 0],
    ['-vif3.0', 0],
    ['', 0],
  ] as const;
  for (const [name, index] of refused) t.false(isBackendInterface(name, index), name);
});
