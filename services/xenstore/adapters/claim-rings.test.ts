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
  const claim = () =>
    claimRings(
      {
        wanted: undefined,
        pidFile: undefined,
        takeOver: false,
        here: true,
        open: async () => ok(xen.open()),
        ...changes,
      },
      { onTrouble: () => undefined },
    );
  return { xen, claim };
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
  t.is(served.ok && served.value.kind, 'here');
  t.deepEqual(await asking({ here: false }).claim(), ok({ kind: 'nobody' }));
  t.deepEqual(await asking({ wanted: false }).claim(), ok({ kind: 'nobody' }));
  const code = 'hypervisor-unavailable';
  const open = async () => fail({ code, detail: 'no Xen' } as const);
  t.deepEqual(
    await asking({ here: false, wanted: true, open }).claim(),
    fail('no Xen; --no-rings serves the socket alone'),
  );
});

test('where another xenstored has the rings, who insists fails and others are told', async (t) => {
  const insisting = asking({ wanted: true });
  insisting.xen.open().watchDomains(() => undefined);
  const refused = await insisting.claim();
  t.regex(refused.ok ? '' : refused.error, /EEXIST.*--no-rings/);
  const modest = asking({ takeOver: true, pidFile: '/no/such/file' });
  modest.xen.open().watchDomains(() => undefined);
  const claim = await modest.claim();
  t.is(claim.ok && claim.value.kind, 'elsewhere');
  t.regex(claim.ok && claim.value.kind === 'elsewhere' ? claim.value.why : '', /EEXIST/);
});

test('who takes over waits for others of its kind that are about to serve', async (t) => {
  const { xen, claim } = asking({ takeOver: true, pidFile: pidFileOfNobody(t) });
  const other = xen.open();
  other.watchDomains(() => undefined);
  setTimeout(() => other.close(), 50);
  const served = await claim();
  t.is(served.ok && served.value.kind, 'here');
});
