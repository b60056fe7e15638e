import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pino } from 'pino';
import { XenstoreClient } from '../client/client.ts';
import { inProcess } from '../client/transports/in-process.ts';
import { controlDomain, type DomainId } from '../core/permissions.ts';
import { processControl, traceName } from './control.ts';
import { Daemon } from './daemon.ts';
import { Journal } from './journal.ts';
import { quotaWarnings } from './quota-warnings.ts';
import { Trace } from './trace.ts';

/** A daemon with its log, a client of domain 0, and one of any other domain. */
async function serving(t: ExecutionContext) {
  const directory = mkdtempSync(join(tmpdir(), 'xenstored-'));
  const logs = join(directory, 'logs');
  const journal = Journal.open(directory);
  if (!journal.ok) throw new Error(journal.error);
  const said: string[] = [];
  const warnings: object[] = [];
  const log = pino(
    { base: null, timestamp: false },
    { write: (line) => warnings.push(JSON.parse(line)) },
  );
  const say = (text: string) => said.push(text);
  const trace = new Trace(join(logs, traceName), say);
  const begun = Daemon.open(journal.value, {
    trace,
    control: processControl({ trace, logs, print: say, trouble: say }),
    onQuota: quotaWarnings(log),
  });
  if (!begun.ok) throw new Error(begun.error);
  const daemon = begun.value;
  const clientOf = async (domain: DomainId) => {
    const opened = await XenstoreClient.open(inProcess((peer) => daemon.attach(domain, peer)));
    if (!opened.ok) throw new Error(opened.error.message);
    return opened.value;
  };
  const client = await clientOf(controlDomain);
  t.teardown(() => {
    client.close();
    trace.turnOff();
    journal.value.close();
    rmSync(directory, { recursive: true });
  });
  const control = async (...words: [string, ...string[]]) => {
    const answer = await client.control(...words);
    return answer.ok ? answer.value : answer.error.code;
  };
  const logged = (name = traceName) =>
    readFileSync(join(logs, name), 'utf8')
      .split('\n')
      .map((line) => line.replace(/^\S+ /, ''));
  return { control, client, clientOf, logged, logs, said, warnings };
}

test('[X64] with `log on` each request and what came of it is a line, without values', async (t) => {
  const { control, client, clientOf, logged } = await serving(t);
  await client.write('/a', 'before');
  t.is(await control('log', 'on'), 'OK');
  await client.write('/a', 'a secret');
  await client.read('/none\n');
  (await clientOf(7 as DomainId)).close();
  t.is(await control('log', 'off'), 'OK');
  await client.write('/a', 'after');
  t.deepEqual(logged(), [
    'domain 0 connection 1 out CONTROL 3 bytes',
    'domain 0 connection 1 in  WRITE /a 8 bytes',
    'domain 0 connection 1 out WRITE 3 bytes',
    'domain 0 connection 1 in  READ /none\\x0a',
    'domain 0 connection 1 out ERROR EINVAL',
    'domain 7 connection 2 is connected',
    'domain 7 connection 2 is gone',
    'domain 0 connection 1 in  CONTROL log off',
    '',
  ]);
});

test('[X64] what is in the log is chosen by switches, and shown', async (t) => {
  const { control, client, clientOf, logged, logs } = await serving(t);
  t.is(await control('log', '-io'), 'OK');
  t.is(
    await control('log'),
    `Log: off, file ${join(logs, traceName)}\nLog switch settings:\nobj     : on\nio      : off\n`,
  );
  await control('log', 'on');
  await client.write('/a', '1');
  await clientOf(7 as DomainId);
  t.deepEqual(logged(), ['domain 7 connection 2 is connected', '']);
  for (const word of ['+none', 'io', '', '+'])
    t.is(await control('log', word), 'EINVAL', JSON.stringify(word));
  t.is(await control('log', 'on', 'off'), 'EINVAL');
});

test("[X64] the log's file is chosen by its name, and lies in the daemon's own directory", async (t) => {
  const { control, client, logged, logs, said } = await serving(t);
  t.is(await control('log', 'on'), 'OK');
  t.is(await control('logfile', 'other.log'), 'OK');
  await client.mkdir('/a');
  t.true(logged('other.log').includes('domain 0 connection 1 in  MKDIR /a'));
  t.is(await control('logfile', join(logs, 'third')), 'OK');
  for (const [file, error] of [
    ['/etc/passwd', 'EACCES'],
    ['../journal', 'EACCES'],
    [`${logs}/../journal`, 'EACCES'],
    ['..', 'EINVAL'],
    ['', 'EINVAL'],
    ['x'.repeat(101), 'EINVAL'],
  ] as const)
    t.is(await control('logfile', file), error, file);
  t.is(said.length, 6);
  t.true(said.every((text) => text.includes(logs)));
});

test('[X64] a log that is full is set aside, and one generation is kept', async (t) => {
  const { control, client, logged, logs } = await serving(t);
  await control('log', 'on');
  const file = join(logs, traceName);
  truncateSync(file, 16 * 2 ** 20);
  await control('log', 'on');
  await client.mkdir('/a');
  t.true(logged(`${traceName}.1`).at(-2)?.endsWith('CONTROL 3 bytes'));
  t.deepEqual(logged()[0], 'domain 0 connection 1 in  MKDIR /a');
});

test('[X64] a log that cannot be opened is refused, and the process says why', async (t) => {
  const { control, logs, said } = await serving(t);
  writeFileSync(logs, 'a file where the directory would be');
  t.is(await control('log', 'on'), 'EIO');
  t.regex(said[0] ?? '', /trace\.log cannot be opened/);
  t.true((await control('log')).startsWith('Log: off'));
});

test("[X64] `print` puts an operator's words into the log of the process", async (t) => {
  const { control, said } = await serving(t);
  t.is(await control('print', 'moving the guests now'), 'OK');
  t.is(await control('print'), 'EINVAL');
  t.is(await control('live-update', '-s'), 'ENOSYS');
  t.deepEqual(said, ['moving the guests now']);
});

test('what exceeds a quota is logged with the domain and the name of the quota, and not each time', async (t) => {
  const { client, clientOf, warnings } = await serving(t);
  await client.mkdir('/local/domain/7');
  await client.setPermissions('/local/domain/7', [
    { domain: 7 as DomainId, read: false, write: false },
  ]);
  t.true((await client.setQuota('watches', 3, 7 as DomainId)).ok);
  const guest = await clientOf(7 as DomainId);
  t.teardown(() => guest.close());
  const outcomes: string[] = [];
  for (let index = 0; index < 50; index += 1) {
    const watch = await guest.watch(`w${index}`);
    outcomes.push(watch.ok ? 'ok' : watch.error.code);
  }
  const big = await guest.write('big', 'x'.repeat(3000));
  t.deepEqual(outcomes.slice(0, 4), ['ok', 'ok', 'ok', 'ENOSPC']);
  t.is(big.ok ? 'ok' : big.error.code, 'ENOSPC');
  t.deepEqual(warnings, [
    { level: 40, domain: 7, quota: 'watches', msg: 'a domain exceeds its quota' },
    { level: 40, domain: 7, quota: 'node-size', msg: 'a domain exceeds its quota' },
  ]);
});
