import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { billOfMaterials } from './bill-of-materials.ts';
import { type Bundle, link, linkedInputs } from './bundle.ts';
import { linkReport } from './link-report.ts';
import { linkedModules } from './linked-modules.ts';
import { contractsOf, protoFiles } from './root-tree.ts';
import { guestServices, leftOutOfAll } from './services.ts';

const checkout = join(import.meta.dirname, '../..');

/** A little checkout, with a program that loads one of two commands by name. */
const sources = {
  'main.ts': `import { used } from './services/both.ts';
const commands = {
  one: async () => (await import('./services/one.ts')).run(),
  two: async () => (await import('./services/two.ts')).run(),
};
used('starts');
void commands[process.argv[2] as 'one']();`,
  'services/one.ts': `import { greet } from 'greeting';
export async function run() {
  console.log(greet);
  if (process.argv[3] === 'rare') await import('./rare.ts');
}`,
  'services/both.ts': `export { used } from './used.ts';
export { unused } from './unused.ts';`,
  'services/used.ts': `export const used = (text: string) => console.log(text);`,
  'services/unused.ts': `export const unused = new Map([[1, 'unused']]);`,
  'services/rare.ts': `console.log('rare');`,
  'services/two.ts': `export const run = () => console.log('two');`,
  'services/two.test.ts': `export const run = () => console.log('test');`,
  'node_modules/greeting/package.json': `{"name": "greeting", "version": "1.2.3", "main": "index.js"}`,
  'node_modules/greeting/index.js': `exports.greet = 'hello';`,
};

async function littleCheckout(files: Readonly<Record<string, string>> = sources): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-link-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  return directory;
}

const one = {
  program: 'main.ts',
  loads: ['services/one.ts'],
  leftOut: [{ path: 'services/rare.ts', why: 'nobody asks for it' }],
};

test('what is linked is the service, what it uses, and nothing of other commands', async (t) => {
  const place = await littleCheckout();
  const bundle = await link({ checkout: place, ...one });
  t.deepEqual(linkedInputs(bundle.metafile), [
    'main.ts',
    'node_modules/greeting/index.js',
    'services/one.ts',
    'services/used.ts',
  ]);
  const code = Buffer.from(bundle.code).toString();
  t.regex(code, /services\/two\.ts is not linked into this image/);
  t.regex(code, /services\/rare\.ts is not linked into this image/);
  await rm(place, { recursive: true });
});

test('the same sources in two places give the same bytes', async (t) => {
  const places = [await littleCheckout(), await littleCheckout()];
  const [first, second] = await Promise.all(
    places.map((place) => link({ checkout: place, ...one })),
  );
  t.deepEqual(first?.code, second?.code);
  for (const place of places) await rm(place, { recursive: true });
});

test('code of the tests is never linked', async (t) => {
  const place = await littleCheckout({
    ...sources,
    'services/one.ts': `export { run } from './two.test.ts';`,
  });
  await t.throwsAsync(link({ checkout: place, ...one }), {
    name: 'BuildFailure',
    message: /code of the development: services\/two\.test\.ts/,
  });
  await rm(place, { recursive: true });
});

test('the bill has each module with its package, its digest and who imports it', async (t) => {
  const place = await littleCheckout();
  const { metafile } = await link({ checkout: place, ...one });
  const modules = await linkedModules(place, metafile);
  const greeting = modules.find(({ path }) => path.endsWith('greeting/index.js'));
  t.deepEqual(greeting?.package, { name: 'greeting', version: '1.2.3', license: null });
  t.deepEqual(greeting?.importedBy, ['services/one.ts']);
  // Through a file of which nothing is left.
  const used = modules.find(({ path }) => path === 'services/used.ts');
  t.deepEqual(used?.importedBy, ['main.ts']);
  const bill = billOfMaterials({ name: 'image', version: '0.1.0', modules, system: [] });
  t.like(JSON.parse(bill), {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    components: [
      { 'bom-ref': 'pkg:npm/flotilla@0.1.0' },
      { 'bom-ref': 'pkg:npm/greeting@1.2.3', components: [{ type: 'file' }] },
    ],
  });
  const report = linkReport({ modules, system: [], leftOut: one.leftOut });
  t.regex(report, /^ {2}services\/used\.ts, \d+ bytes, for main\.ts$/m);
  t.regex(report, /^ {2}services\/rare\.ts: nobody asks for it$/m);
  await rm(place, { recursive: true });
});

/** What is linked for a service of the table. */
function linked(name: keyof typeof guestServices): Promise<Bundle> {
  const { commands, leftOut } = guestServices[name];
  const all = [...leftOutOfAll, ...leftOut];
  return link({ checkout, program: 'main.ts', loads: Object.values(commands), leftOut: all });
}

test('xenstored is linked without gRPC, and reads no contract', async (t) => {
  const bundle = await linked('xenstore');
  const inputs = linkedInputs(bundle.metafile);
  t.true(inputs.includes('services/xenstore/core/tree.ts'));
  t.deepEqual(
    inputs.filter((path) => /@grpc|protobufjs|^cli\/|^consensus\/(?!lean-process)/.test(path)),
    [],
  );
  t.deepEqual(await protoFiles(checkout, bundle), []);
});

test('a member of the database is linked with the contracts that it reads', async (t) => {
  const bundle = await linked('consensus');
  t.deepEqual(await protoFiles(checkout, bundle), [
    'etcd/auth.proto',
    'etcd/kv.proto',
    'etcd/rpc.proto',
    'flotilla/raft/v1/raft.proto',
    'grpc/health/v1/health.proto',
  ]);
  const places = (await contractsOf({ checkout, bundle })).map(({ place }) => place);
  t.true(places.includes('proto/grpc/reflection/v1/reflection.proto'));
  // What a package requires is what Node would give it: as an ES module, protobufjs does not know Long.
  const long = linkedInputs(bundle.metafile).filter((path) => /(^|\/)long\//.test(path));
  t.deepEqual(long, ['node_modules/long/umd/index.js']);
});

test('a control domain is linked with what starts a host, and without the CLI', async (t) => {
  const bundle = await linked('vm-lifecycle');
  const inputs = linkedInputs(bundle.metafile);
  for (const entry of Object.values(guestServices['vm-lifecycle'].commands))
    t.true(inputs.includes(entry), entry);
  t.deepEqual(
    inputs.filter((path) => /^cli\/(?!boot\/|host-seed\/|up\/)|^deploy\/|command-tree/.test(path)),
    [],
  );
  const contracts = await protoFiles(checkout, bundle);
  t.true(contracts.includes('flotilla/vm/v1/vm.proto'));
});

test('every file that an image leaves out is one that there is', async (t) => {
  for (const { leftOut } of Object.values(guestServices))
    for (const { path } of leftOut) t.true((await readFile(join(checkout, path))).length > 0, path);
});
