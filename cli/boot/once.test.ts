import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fail, ok } from '../../base/result.ts';
import { type BootStep, runOnce } from './once.ts';

/** Steps that note when they run; one fails as long as it is told to. */
async function boot(t: ExecutionContext) {
  const directory = join(await mkdtemp(join(tmpdir(), 'flotilla-boot-')), 'notes');
  t.teardown(() => rm(join(directory, '..'), { recursive: true }));
  const ran: string[] = [];
  const failing = new Set<string>();
  const step = (name: string, onceOnly: string | null): BootStep => ({
    ...{ name, brings: `${name} is there`, onceOnly },
    run: async () => {
      ran.push(name);
      return failing.has(name) ? fail(`${name} failed`) : ok(undefined);
    },
  });
  const steps = [step('network', null), step('xenstore', 'boot again'), step('tools', null)];
  const said: string[] = [];
  return { ran, failing, said, run: () => runOnce(directory, steps, (text) => said.push(text)) };
}

test('steps are done in their order, and each once for a boot', async (t) => {
  const { ran, said, run } = await boot(t);
  t.true((await run()).ok);
  t.true((await run()).ok);
  t.deepEqual(ran, ['network', 'xenstore', 'tools']);
  t.deepEqual(said, ['network is there', 'xenstore is there', 'tools is there']);
});

test('a step that failed is tried again, and none after it before', async (t) => {
  const { ran, failing, run } = await boot(t);
  failing.add('network');
  t.deepEqual(await run(), { ok: false, error: 'network failed' });
  failing.clear();
  t.true((await run()).ok);
  t.deepEqual(ran, ['network', 'network', 'xenstore', 'tools']);
});

test('what has one try for a boot is not tried again, and it is said what to do', async (t) => {
  const { ran, failing, run } = await boot(t);
  failing.add('xenstore');
  t.deepEqual(await run(), { ok: false, error: 'xenstore failed' });
  failing.clear();
  t.deepEqual(await run(), { ok: false, error: 'boot again' });
  t.deepEqual(ran, ['network', 'xenstore']);
});
