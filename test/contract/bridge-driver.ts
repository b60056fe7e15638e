import assert from 'node:assert/strict';
import type { Result } from '../../base/result.ts';
import type { Failure } from '../../pool/failure.ts';
import type { BridgeDriver, Joined } from '../../services/network/adapters/bridge/bridge-driver.ts';

/** The driver under test, on a host that has nothing but what a case makes. */
export interface BridgeDriverSubject {
  readonly driver: BridgeDriver;
  /** Opens the driver again, as a restarted service does. */
  reopen(): Promise<BridgeDriver>;
  /** Makes an interface, as a domain's backend does. */
  appear(name: string): Promise<void>;
  /** Removes it, as a domain's end does. */
  vanish(name: string): Promise<void>;
}

/** One promise of the port. */
export interface BridgeDriverCase {
  /** A sentence about behaviour. */
  readonly title: string;
  /** Rejects when the promise is broken. */
  run(subject: BridgeDriverSubject): Promise<void>;
}

const one = { name: 'fl-one', mtu: 1500 };
const two = { name: 'fl-two', mtu: 9000 };

function value<Value>(result: Result<Value, Failure>): Value {
  assert.ok(result.ok, result.ok ? '' : `${result.error.reason}: ${result.error.message}`);
  return result.value;
}

async function joined(driver: BridgeDriver): Promise<readonly Joined[]> {
  return [...value(await driver.joined())].sort((a, b) => (a.interface < b.interface ? -1 : 1));
}

/** What every driver of bridges promises. */
export const bridgeDriverContract: readonly BridgeDriverCase[] = [
  {
    title: 'a host starts with nothing joined, and a new bridge has no interface',
    run: async ({ driver }) => {
      assert.deepEqual(await joined(driver), []);
      value(await driver.ensure(one));
      assert.deepEqual(await joined(driver), []);
    },
  },
  {
    title: 'a bridge can be asked for again, and with another MTU',
    run: async ({ driver }) => {
      value(await driver.ensure(one));
      value(await driver.ensure(one));
      value(await driver.ensure({ ...one, mtu: 1400 }));
    },
  },
  {
    title: 'interfaces join bridges, and joining again changes nothing',
    run: async ({ driver, appear }) => {
      value(await driver.ensure(one));
      value(await driver.ensure(two));
      await appear('vif1.0');
      await appear('vif1.1');
      value(await driver.join('vif1.0', one));
      value(await driver.join('vif1.1', two));
      value(await driver.join('vif1.0', one));
      assert.deepEqual(await joined(driver), [
        { interface: 'vif1.0', bridge: 'fl-one' },
        { interface: 'vif1.1', bridge: 'fl-two' },
      ]);
    },
  },
  {
    title: 'an interface that has appeared is present',
    run: async ({ driver, appear }) => {
      await appear('vif5.0');
      assert.equal(value(await driver.present('vif5.0')), true);
    },
  },
  {
    title: 'an interface is on one bridge: joining another takes it there',
    run: async ({ driver, appear }) => {
      value(await driver.ensure(one));
      value(await driver.ensure(two));
      await appear('vif2.0');
      value(await driver.join('vif2.0', one));
      value(await driver.join('vif2.0', two));
      assert.deepEqual(await joined(driver), [{ interface: 'vif2.0', bridge: 'fl-two' }]);
    },
  },
  {
    title: 'an interface leaves its bridge, and leaving again succeeds',
    run: async ({ driver, appear }) => {
      value(await driver.ensure(one));
      await appear('vif3.0');
      value(await driver.join('vif3.0', one));
      value(await driver.leave('vif3.0'));
      assert.deepEqual(await joined(driver), []);
      value(await driver.leave('vif3.0'));
    },
  },
  {
    title: 'an interface that vanished with its domain has left',
    run: async ({ driver, appear, vanish }) => {
      value(await driver.ensure(one));
      await appear('vif4.0');
      value(await driver.join('vif4.0', one));
      await vanish('vif4.0');
      value(await driver.leave('vif4.0'));
      value(await driver.leave('vif99.0'));
      assert.deepEqual(await joined(driver), []);
    },
  },
  {
    title: 'a bridge that nobody made cannot be joined, and the failure says what to do',
    run: async ({ driver, appear }) => {
      await appear('vif5.0');
      const refused = await driver.join('vif5.0', one);
      assert.ok(!refused.ok);
      assert.equal(refused.error.reason, 'NETWORK');
      assert.notEqual(refused.error.remedy, '');
      assert.deepEqual(await joined(driver), []);
    },
  },
  {
    title: 'what was joined stays joined when the service restarts',
    run: async ({ driver, reopen, appear }) => {
      value(await driver.ensure(one));
      await appear('vif6.0');
      value(await driver.join('vif6.0', one));
      const again = await reopen();
      assert.deepEqual(await joined(again), [{ interface: 'vif6.0', bridge: 'fl-one' }]);
      value(await again.leave('vif6.0'));
      assert.deepEqual(await joined(again), []);
    },
  },
];
