import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ok } from '../../../../base/result.ts';
import { sha256Of } from '../../../../pool/images/digest.ts';
import { type Measurement, nextMeasurement } from '../../../../pool/images/measurement.ts';
import type { HostId, Timestamp } from '../../../../pool/records/identifiers.ts';
import { openMeasurementLog } from './measurement-log.ts';
import { type TakeOverSettings, takeOver } from './take-over.ts';

const host = '5cbe1b5c-0f0e-4a39-8a4e-111111111111' as HostId;

/** The log of a supervisor, and the log of the host that takes it over. */
async function place(t: ExecutionContext, boot = 'boot-1') {
  const directory = await mkdtemp(join(tmpdir(), 'take-over-'));
  const folder = join(directory, 'guests');
  const opened = await openMeasurementLog({ folder, host, boot });
  if (!opened.ok) throw new Error(opened.error.message);
  const taken: string[] = [];
  const settings: TakeOverSettings = {
    folder,
    memory: join(directory, 'taken-over.json'),
    host,
    boot,
    images: {
      record: (measured) => {
        taken.push(measured.domain.name);
        const time = 0 as Timestamp;
        const head = { sequence: 0, digest: sha256Of('own') };
        return Promise.resolve(ok(nextMeasurement(head, { ...measured, time })));
      },
    },
  };
  t.teardown(async () => {
    await opened.value.close();
    await rm(directory, { recursive: true });
  });
  const start = async (name: string): Promise<Measurement> => {
    const digest = sha256Of(name);
    const appended = await opened.value.append({
      time: 1 as Timestamp,
      domain: { name, uuid: '7b1c2f6e-0000-4000-8000-000000000001' },
      service: 'storage',
      ...{
        kernel: digest,
        initramfs: digest,
        commandLine: digest,
        hostWords: '',
        manifest: digest,
      },
    });
    if (!appended.ok) throw new Error(appended.error.message);
    return appended.value;
  };
  const file = async () => join(folder, (await readdir(folder)).join(' and '));
  return { settings, taken, start, file };
}

test('what the supervisor measured is taken over once, as it comes', async (t) => {
  const { settings, taken, start } = await place(t);
  t.deepEqual(await takeOver(settings), ok(0));
  await start('network');
  await start('storage');
  t.deepEqual(await takeOver(settings), ok(2));
  await start('consensus');
  t.deepEqual(await takeOver(settings), ok(1));
  t.deepEqual(await takeOver(settings), ok(0));
  t.deepEqual(taken, ['network', 'storage', 'consensus']);
});

test('a line that is just being written waits for its end', async (t) => {
  const { settings, taken, start, file } = await place(t);
  await start('network');
  await appendFile(await file(), '{"sequence":2,');
  t.deepEqual(await takeOver(settings), ok(1));
  t.deepEqual(taken, ['network']);
});

test('where it is not remembered how far it was, it begins anew: rather twice than not at all', async (t) => {
  const { settings, taken, start } = await place(t);
  await start('network');
  await takeOver(settings);
  await writeFile(settings.memory, 'half');
  t.deepEqual(await takeOver(settings), ok(1));
  t.deepEqual(taken, ['network', 'network']);
});

test('a log that was changed is told, and nothing is taken from it', async (t) => {
  const { settings, taken, start, file } = await place(t);
  await start('network');
  await start('storage');
  const path = await file();
  await writeFile(path, (await readFile(path, 'utf8')).replace('"network"', '"innocent"'));
  const refused = await takeOver(settings);
  t.regex(refused.ok ? '' : refused.error.message, /was changed: measurement 2 does not continue/);
  t.deepEqual(taken, []);
});

test('the log of an earlier boot is not this one', async (t) => {
  const { settings, start } = await place(t);
  await start('network');
  t.deepEqual(await takeOver({ ...settings, boot: 'boot-2' }), ok(0));
});
