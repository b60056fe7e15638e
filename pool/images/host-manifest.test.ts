import test from 'ava';
import type { Sha256 } from './digest.ts';
import {
  decodeHostManifest,
  encodeHostManifest,
  type HostManifest,
  hostFileRoles,
} from './host-manifest.ts';
import type { Manifest } from './manifest.ts';

const sha256 = 'ab'.repeat(32) as Sha256;
const manifest: HostManifest = {
  ...{ format: 'flotilla-host-image/1', version: '0.1.0', architecture: 'x86_64', xen: '4.17.7' },
  files: hostFileRoles.map((role, index) => ({
    ...{ role, file: `file-${index}`, sha256, size: 1 as Manifest['memory'] },
  })),
  guests: { xenstore: sha256, consensus: sha256, network: sha256, storage: sha256 },
};

test('a manifest of a host has one form, and is read in no other', (t) => {
  const bytes = encodeHostManifest(manifest);
  t.deepEqual(decodeHostManifest(bytes), { ok: true, value: manifest });
  const spaced = Buffer.from(Buffer.from(bytes).toString().replace('{', '{ '));
  t.regex(refusal(spaced), /changed by hand/);
});

test('a file that is missing, twice, or a path is refused', (t) => {
  const [first, ...others] = manifest.files;
  const having = (files: unknown) => Buffer.from(JSON.stringify({ ...manifest, files }));
  t.regex(refusal(having(others)), /has not a file each of/);
  t.regex(refusal(having([others[0], ...others])), /has not a file each of/);
  t.regex(refusal(having([{ ...first, file: '../xen' }, ...others])), /not the name of a file/);
});

function refusal(bytes: Uint8Array): string {
  const read = decodeHostManifest(bytes);
  return read.ok ? 'read' : read.error;
}
