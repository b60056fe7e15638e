import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { sha256Of } from '../../../../pool/images/digest.ts';
import { chainBeginning, followChain } from '../../../../pool/images/measurement.ts';
import type { HostId, Timestamp } from '../../../../pool/records/identifiers.ts';
import { type MeasurementLog, openMeasurementLog } from './measurement-log.ts';

const host = '00000000-0000-4000-8000-000000000001' as HostId;
const boot = 'b007b007-0000-4000-8000-000000000000';

async function folderOf(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-measurements-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return folder;
}

function value<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

async function opened(t: ExecutionContext, folder: string): Promise<MeasurementLog> {
  const log = value(await openMeasurementLog({ folder, host, boot }));
  t.teardown(() => log.close());
  return log;
}

function measured(name: string) {
  return {
    time: 1 as Timestamp,
    domain: { name, uuid: '00000000-0000-4000-8000-000000000009' },
    ...{ service: null, kernel: sha256Of(name), initramfs: null, manifest: null, hostWords: '' },
    commandLine: sha256Of(''),
  };
}

const file = (folder: string) => join(folder, `${boot}-0000000001.jsonl`);

test('what was appended is there after a restart, and the chain goes on', async (t) => {
  const folder = await folderOf(t);
  const log = await opened(t, folder);
  for (const name of ['one', 'two']) value(await log.append(measured(name)));
  const again = await opened(t, folder);
  t.deepEqual(again.head(), log.head());
  value(await again.append(measured('three')));
  const all = again.after(0);
  t.deepEqual(
    all.map(({ sequence, domain }) => `${sequence} ${domain.name}`),
    ['1 one', '2 two', '3 three'],
  );
  t.deepEqual(followChain(chainBeginning(host, boot), all), { ok: true, value: again.head() });
  t.deepEqual(again.headAt(2), log.head());
  t.deepEqual(again.after(2).length, 1);
});

test('a line that was cut off by the end of the process is cut away', async (t) => {
  const folder = await folderOf(t);
  const log = await opened(t, folder);
  value(await log.append(measured('one')));
  await appendFile(file(folder), '{"sequence":2,"ti');
  const again = await opened(t, folder);
  t.deepEqual(again.head(), log.head());
  value(await again.append(measured('two')));
  t.is((await readFile(file(folder), 'utf8')).split('\n').length, 3);
});

test('a log that was changed is refused: where, and what to do', async (t) => {
  const folder = await folderOf(t);
  const log = await opened(t, folder);
  for (const name of ['one', 'two', 'three']) value(await log.append(measured(name)));
  const text = await readFile(file(folder), 'utf8');
  const lines = text.split('\n');
  for (const [changed, why] of [
    [text.replace('"two"', '"too"'), /measurement 3 does not continue the one before it/],
    [lines.toSpliced(1, 1).join('\n'), /measurement 2 is missing; 3 comes next/],
    [lines.toSpliced(0, 1).join('\n'), /measurement 1 is missing; 2 comes next/],
    [text.replace('"previous"', '"precious"'), /line 1 cannot be read: previous/],
    ['scribble\n', /line 1 cannot be read/],
  ] as const) {
    await writeFile(file(folder), changed);
    const refused = await openMeasurementLog({ folder, host, boot });
    if (refused.ok) return t.fail(changed);
    t.is(refused.error.reason, 'IMAGE');
    t.regex(refused.error.message, why);
    t.regex(refused.error.remedy, /Restart the host/);
  }
  return undefined;
});

test('a log that goes on in another file is one chain, also where that file is still empty', async (t) => {
  const folder = await folderOf(t);
  const log = await opened(t, folder);
  for (const name of ['one', 'two', 'three']) value(await log.append(measured(name)));
  const lines = (await readFile(file(folder), 'utf8')).split('\n');
  const part = (number: number) => join(folder, `${boot}-000000000${number}.jsonl`);
  await writeFile(file(folder), `${lines.slice(0, 2).join('\n')}\n`);
  await writeFile(part(3), `${lines[2]}\n`);
  await writeFile(part(4), '');
  const again = await opened(t, folder);
  t.deepEqual(again.head(), log.head());
  t.is(again.after(0).length, 3);
  t.is((await readdir(folder)).length, 2);
  value(await again.append(measured('four')));
  t.is((await readFile(part(3), 'utf8')).split('\n').length, 3);
  await writeFile(file(folder), `${lines[0]}\n`);
  const refused = await openMeasurementLog({ folder, host, boot });
  t.regex(refused.ok ? '' : refused.error.message, /does not continue the file before it/);
});

test('each boot has a log of its own, and only the newest files are kept', async (t) => {
  const folder = await folderOf(t);
  for (let number = 0; number < 20; number += 1) {
    const of = {
      folder,
      host,
      boot: `b007b007-0000-4000-8000-${String(number).padStart(12, '0')}`,
    };
    const log = value(await openMeasurementLog(of));
    t.is(log.head().sequence, 0);
    value(await log.append(measured('one')));
    await log.close();
  }
  t.is((await readdir(folder)).length, 16);
});

test('a folder that cannot be made is a failure that names it', async (t) => {
  const folder = await folderOf(t);
  await writeFile(join(folder, 'file'), '');
  const refused = await openMeasurementLog({ folder: join(folder, 'file', 'log'), host, boot });
  t.like(refused, { ok: false, error: { reason: 'IMAGE', field: 'dataDir' } });
});
