import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as v from 'valibot';
import { ok } from '../base/result.ts';
import { commonFields, parseStore, readConfiguration } from './configuration.ts';
import { serviceCommand } from './service-command.ts';

const Schema = v.strictObject({ ...commonFields, attach: v.picklist(['loop', 'file']) });

const fields = {
  hostId: '00000000-0000-4000-8000-000000000001',
  hostName: 'host-1',
  listen: '127.0.0.1:0',
  store: ['127.0.0.1:2379'],
  dataDir: 'data',
  attach: 'file',
};

async function written(t: ExecutionContext, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-configuration-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'storage.json');
  await writeFile(file, text);
  return file;
}

test('flags go before the file, and paths of the file are relative to it', async (t) => {
  const tls = { ca: 'ca.pem', certificate: '/etc/c.pem', key: 'k.pem' };
  const config = await written(t, JSON.stringify({ ...fields, tls }));
  const read = await readConfiguration(Schema, {
    config,
    listen: '127.0.0.1:7421',
    hostName: undefined,
    tlsKey: 'here.pem',
  });
  t.like(read, { ok: true, value: { listen: '127.0.0.1:7421', hostName: 'host-1' } });
  t.like(read, { value: { dataDir: config.replace('storage.json', 'data') } });
  t.like(read, {
    value: {
      tls: {
        ca: config.replace('storage.json', 'ca.pem'),
        certificate: '/etc/c.pem',
        key: 'here.pem',
      },
    },
  });
});

test("an etcd's certificates may be others than the pool's, in the file or by flags", async (t) => {
  const storeTls = { ca: 'etcd-ca.pem' };
  const config = await written(t, JSON.stringify({ ...fields, storeTls }));
  const beside = (name: string) => config.replace('storage.json', name);
  const fromFile = await readConfiguration(Schema, { config });
  t.like(fromFile, { value: { storeTls: { ca: beside('etcd-ca.pem') } } });
  const pair = { storeCertificate: 'c.pem', storeKey: 'k.pem' };
  const both = await readConfiguration(Schema, { config, ...pair });
  t.like(both, {
    value: { storeTls: { ca: beside('etcd-ca.pem'), certificate: 'c.pem', key: 'k.pem' } },
  });
  const plain = await readConfiguration(Schema, { config, storePlainText: true });
  t.like(plain, { value: { storeTls: null } });
  const half = await readConfiguration(Schema, { config, storeKey: 'k.pem' });
  t.regex(half.ok ? '' : half.error, /storeTls: give certificate and key together, or neither/);
});

test('an error names the file, the field, and what to write', async (t) => {
  const { hostId: _, ...rest } = fields;
  const config = await written(t, JSON.stringify({ ...rest, listen: 'here', atach: 'file' }));
  const read = await readConfiguration(Schema, { config });
  const text = read.ok ? '' : read.error;
  t.true(text.includes(config), text);
  t.regex(text, /hostId: is missing; write it into the file, or give --host-id/);
  t.regex(text, /listen: write HOST:PORT/);
  t.regex(text, /atach: /);
});

test('a file that is half written, no object, too large or missing is refused by name', async (t) => {
  const half = await written(t, '{"hostId": "00000');
  const list = await written(t, '[]');
  const large = await written(t, ' '.repeat(2 ** 20 + 1));
  for (const config of [half, list, large, '/nowhere/storage.json']) {
    const read = await readConfiguration(Schema, { config });
    t.true(!read.ok && read.error.startsWith(config), read.ok ? '' : read.error);
  }
});

test('--store takes an etcd URL of one or several members', (t) => {
  t.deepEqual(parseStore('etcd://127.0.0.1:1,[::1]:2'), ['127.0.0.1:1', '[::1]:2']);
  t.deepEqual(parseStore('127.0.0.1:1'), ['127.0.0.1:1']);
  for (const text of ['', 'etcd://', 'http://127.0.0.1:1', 'etcd://a', 'etcd://a:1,'])
    t.throws(() => parseStore(text), { code: 'commander.invalidArgument' }, text);
});

test.serial('a command whose configuration is wrong exits with 2 and starts nothing', async (t) => {
  const started: unknown[] = [];
  const command = serviceCommand({
    name: 'storage',
    description: 'the storage service',
    schema: Schema,
    options: (plain) => plain.option('--attach <kind>'),
    run: async (configuration) => {
      started.push(configuration);
      return ok({ close: async () => {} });
    },
  });
  const before = process.exitCode;
  const write = process.stderr.write;
  const errors: string[] = [];
  process.stderr.write = (text: string | Uint8Array) => errors.push(String(text)) > 0;
  await command.parseAsync(['--attach', 'other', '--listen', 'here'], { from: 'user' });
  process.stderr.write = write;
  t.is(process.exitCode, 2);
  process.exitCode = before;
  t.deepEqual(started, []);
  t.regex(errors.join(''), /attach: /);
});
