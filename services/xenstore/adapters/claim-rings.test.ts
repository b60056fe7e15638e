import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fail, ok } from '../../../base/result.ts';
import { SimulatedRings } from '../../../hypervisor/simulated/index.ts';
import { claimRings, type RingsWanted } from './claim-rings.ts';

/** A host whose domains nobody serves yet, and how a process asks for them. */
function asking(changes: Partial<RingsWanted> = {}) {
  const xen = new SimulatedRings();
  const warnings: string[] = [];
  const claim = () =>
    claimRings(
      {
        wanted: undefined,
        pidFile: undefined,
        takeOver: false,
        here: true,
        open: async () => ok(xen.open()),
        warn: (message) => warnings.push(message),
        ...changes,
      },
      { onTrouble: () => undefined },
    );
  return { xen, warnings, claim };
}

function pidFileOfNobody(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'claim-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'pid');
  writeFileSync(path, '4194305\n');
  return path;
}

test('rings are served where there are some, unless they are not wanted', async (t) => {
  const served = await asking().claim();
  t.true(served.ok && served.value !== undefined);
  t.deepEqual(await asking({ here: false }).claim(), ok(undefined));
  t.deepEqual(await asking({ wanted: false }).claim(), ok(undefined));
  const code = 'hypervisor-unavailable';
  const open = async () => fail({ code, detail: 'no Xen' } as const);
  t.deepEqual(
    await asking({ here: false, wanted: true, open }).claim(),
    fail('no Xen; --no-rings serves the socket alone'),
  );
});

test('where another xenstored has the rings, who insists fails and others serve the socket', async (t) => {
  const insisting = asking({ wanted: true });
  insisting.xen.open().watchDomains(() => undefined);
  const refused = await insisting.claim();
  t.regex(refused.ok ? '' : refused.error, /EEXIST.*--no-rings/);
  const modest = asking({ takeOver: true, pidFile: '/no/such/file' });
  modest.xen.open().watchDomains(() => undefined);
  t.deepEqual(await modest.claim(), ok(undefined));
  t.regex(modest.warnings.join(), /the socket alone is served: .*EEXIST/);
});

test('who takes over waits for others of its kind that are about to serve', async (t) => {
  const { xen, claim } = asking({ takeOver: true, pidFile: pidFileOfNobody(t) });
  const other = xen.open();
  other.watchDomains(() => undefined);
  setTimeout(() => other.close(), 50);
  const served = await claim();
  t.true(served.ok && served.value !== undefined);
});
