import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { BridgeDriver } from '../../services/network/adapters/bridge/bridge-driver.ts';
import { linuxBridges } from '../../services/network/adapters/bridge/linux.ts';
import { simulatedBridges } from '../../services/network/adapters/bridge/simulated.ts';
import { bridgeDriverContract } from './bridge-driver.ts';

async function simulated(path: string): Promise<BridgeDriver> {
  const driver = await simulatedBridges(path);
  if (!driver.ok) throw new Error(driver.error.message);
  return driver.value;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: 'ignore' });
}

/** Whether this machine lets this user make network namespaces and bridges, which takes root. */
function canBridge(): boolean {
  const namespace = `fl-${randomBytes(4).toString('hex')}`;
  try {
    ip('netns', 'add', namespace);
  } catch {
    return false;
  }
  try {
    ip('-netns', namespace, 'link', 'add', 'name', 'probe', 'type', 'bridge');
    ip('-netns', namespace, 'link', 'add', 'name', 'a', 'type', 'veth', 'peer', 'name', 'b');
    return true;
  } catch {
    return false;
  } finally {
    ip('netns', 'delete', namespace);
  }
}

const onLinux = canBridge() ? test : test.skip;

for (const { title, run } of bridgeDriverContract) {
  test(`simulated: ${title}`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'bridges-'));
    const path = join(directory, 'network', 'bridges.json');
    const nothing = () => Promise.resolve();
    await run({
      driver: await simulated(path),
      reopen: () => simulated(path),
      appear: nothing,
      vanish: nothing,
    });
    await rm(directory, { recursive: true });
    t.pass();
  });

  onLinux(`linux, in a network namespace: ${title}`, async (t) => {
    const namespace = `fl-${randomBytes(4).toString('hex')}`;
    ip('netns', 'add', namespace);
    try {
      await run({
        driver: linuxBridges(namespace),
        reopen: () => Promise.resolve(linuxBridges(namespace)),
        appear: async (name) => {
          const peer = name.replace('vif', 'eth');
          const pair = ['link', 'add', 'name', name, 'type', 'veth', 'peer', 'name', peer];
          ip('-netns', namespace, ...pair);
        },
        vanish: async (name) => ip('-netns', namespace, 'link', 'delete', 'dev', name),
      });
    } finally {
      ip('netns', 'delete', namespace);
    }
    t.pass();
  });
}
