import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { architectures } from '../../pool/images/manifest.ts';
import { BuildFailure } from '../image/command.ts';
import { machines } from './machines.ts';
import { integrityOf, pinnedPackage, pinOf } from './npm-package.ts';

const checkout = join(import.meta.dirname, '../..');

test('the lock file pins Node and koffi for each architecture, to the same versions', async (t) => {
  const lock = await readFile(join(checkout, 'package-lock.json'), 'utf8');
  for (const kind of ['nodePackage', 'koffiPackage'] as const) {
    const pins = architectures.map((architecture) => pinOf(lock, machines[architecture][kind]));
    t.is(new Set(pins.map(({ version }) => version)).size, 1);
    t.is(new Set(pins.map(({ integrity }) => integrity)).size, architectures.length);
  }
});

test('a package that the lock file does not pin is a failure that says so', (t) => {
  const lock = JSON.stringify({ packages: { 'node_modules/linked': { version: '1.0.0' } } });
  for (const name of ['linked', 'unknown']) {
    const failure = t.throws(() => pinOf(lock, name), { instanceOf: BuildFailure });
    t.regex(failure.message, new RegExp(`does not pin ${name}; run: npm install`));
  }
});

test('what is installed is taken as it is', async (t) => {
  const { directory, version } = await pinnedPackage(checkout, 'koffi', (line) => t.fail(line));
  t.is(directory, join(checkout, 'node_modules/koffi'));
  t.regex(version, /^\d+\.\d+\.\d+$/);
});

test('one bit more gives another digest, and only SHA-512 is one', (t) => {
  // The digest of nothing: FIPS 180-4.
  const ofNothing =
    'sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==';
  t.is(integrityOf(new Uint8Array(), ofNothing), ofNothing);
  t.not(integrityOf(new Uint8Array(1), ofNothing), ofNothing);
  t.throws(() => integrityOf(new Uint8Array(), 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk='), {
    instanceOf: BuildFailure,
    message: /not SHA-512/,
  });
});
