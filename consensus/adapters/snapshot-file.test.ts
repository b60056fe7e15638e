import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openSavedSnapshot, snapshotFile } from './snapshot-file.ts';

const description = { pool: 'p', index: 7, term: 2, revision: 5 };
const chunks = ['first', 'second'].map((text) => Buffer.from(text));

function saved(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'flotilla-saved-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, 'pool.snapshot');
  writeFileSync(path, Buffer.concat([...snapshotFile(description, chunks)]));
  return path;
}

test('what was saved is read again, chunk by chunk', (t) => {
  const opened = openSavedSnapshot(saved(t));
  if (!opened.ok) throw new Error(opened.error);
  t.deepEqual(opened.value.description, description);
  t.is(opened.value.digest.length, 64);
  const read = [...opened.value.chunks()].map((chunk) => Buffer.from(chunk).toString());
  t.deepEqual(read, ['first', 'second']);
  opened.value.close();
});

test('a file with any byte changed, or its end missing, is refused', (t) => {
  const path = saved(t);
  const whole = readFileSync(path);
  const refusal = (content: Uint8Array): string => {
    writeFileSync(path, content);
    const opened = openSavedSnapshot(path);
    return opened.ok ? 'accepted' : opened.error;
  };
  for (let at = 0; at < whole.byteLength; at += 1) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.true(refusal(changed).startsWith(`${path} cannot be restored from: `), `byte ${at}`);
  }
  for (const length of [0, 15, 16, 40, whole.byteLength - 1])
    t.not(refusal(whole.subarray(0, length)), 'accepted', `${length} bytes`);
  t.regex(refusal(Buffer.from('not a snapshot at all')), /is not a saved pool database/);
});

test('a file that is not there is named', (t) => {
  const opened = openSavedSnapshot('/no/such/snapshot');
  t.regex(opened.ok ? '' : opened.error, /cannot read the snapshot: ENOENT.*\/no\/such\/snapshot/);
});
