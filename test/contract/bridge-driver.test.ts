import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { runCommand } from '../../base/command.ts';
import { milliseconds } from '../../base/units.ts';
import type { BridgeDriver } from '../../services/network/adapters/bridge/bridge-driver.ts';
import { linuxBridges } from '../../services/network/adapters/bridge/linux.ts';
import { simulatedBridges } from '../../services/network/adapters/bridge/simulated.ts';
import { bridgeDriverContract } from './bridge-driver.ts';

async function simulated(path: string): Promise<BridgeDriver> {
  const driver = await simulatedBridges(path);
  if (!driver.ok) throw new Error(driver.error.message);
  return driver.value;
}

async function ip(...args: readonly string[]): Promise<void> {
  const done = await runCommand('ip', args, milliseconds(60_000));
  if (!done.ok) throw new Error(`${done.error.command}: ${done.error.detail}`);
}

/** Does `work` with a new network namespace, by its name. */
async function inNamespace(work: (namespace: string) => Promise<void>): Promise<void> {
  const namespace = `fl-${randomBytes(4).toString('hex')}`;
  await ip('netns', 'add', namespace);
  try {
    await work(namespace);
  } finally {
    await ip('netns', 'delete', namespace);
  }
}

/** A pair of interfaces, one of which stands for the backend's interface of a domain. */
function makePair(namespace: string, name: string): Promise<void> {
  const pair = ['type', 'veth', 'peer', 'name', name.replace('vif', 'eth')];
  return ip('-netns', namespace, 'link', 'add', 'name', name, ...pair);
}

/** Whether this machine lets this user make network namespaces and bridges, which takes root. */
async function canBridge(): Promise<boolean> {
  try {
    await inNamespace(async (namespace) => {
      await ip('-netns', namespace, 'link', 'add', 'name', 'probe', 'type', 'bridge');
      await makePair(namespace, 'vif0.0');
    });
    return true;
  } catch {
    return false;
  }
}

const onLinux = (await canBridge()) ? test : test.skip;

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
    await inNamespace((namespace) =>
      run({
        driver: linuxBridges(namespace),
        reopen: () => Promise.resolve(linuxBridges(namespace)),
        appear: (name) => makePair(namespace, name),
        vanish: (name) => ip('-netns', namespace, 'link', 'delete', 'dev', name),
      }),
    );
    t.pass();
  });
}

onLinux('linux: an interface that is not there yet, or gone again, is not present', async (t) => {
  await inNamespace(async (namespace) => {
    const driver = linuxBridges(namespace);
    const present = async () =>
      t.deepEqual(await driver.present('vif6.0'), { ok: true, value: true });
    const absent = async () =>
      t.deepEqual(await driver.present('vif6.0'), { ok: true, value: false });
    await absent();
    await makePair(namespace, 'vif6.0');
    await present();
    await ip('-netns', namespace, 'link', 'delete', 'dev', 'vif6.0');
    await absent();
  });
  t.like(await linuxBridges(null).present('lo'), { ok: true, value: true });
  t.like(await linuxBridges(null).present('vif32000.7'), { ok: true, value: false });
});

onLinux('linux: a bridge of backends alone has an address of its own', async (t) => {
  await inNamespace(async (namespace) => {
    const driver = linuxBridges(namespace);
    t.true((await driver.ensure({ name: 'xenbr0', mtu: 1500 })).ok);
    const before = await addressOf(namespace, 'xenbr0');
    await makePair(namespace, 'vif6.0');
    await ip('-netns', namespace, 'link', 'set', 'dev', 'vif6.0', 'address', backendAddress);
    t.true((await driver.join('vif6.0', { name: 'xenbr0', mtu: 1500 })).ok);
    t.is(await addressOf(namespace, 'xenbr0'), before);
    t.not(before, backendAddress);
  });
});

/** The address of every interface that netback makes. */
const backendAddress = 'fe:ff:ff:ff:ff:ff';

async function addressOf(namespace: string, name: string): Promise<string> {
  const shown = await runCommand(
    'ip',
    ['-netns', namespace, '-json', 'link', 'show', 'dev', name],
    milliseconds(60_000),
  );
  if (!shown.ok) throw new Error(shown.error.detail);
  const [link] = JSON.parse(shown.value) as readonly { readonly address: string }[];
  return link?.address ?? '';
}
