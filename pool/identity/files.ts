import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Milliseconds } from '../../base/units.ts';
import type { TlsPaths } from '../configuration.ts';
import { type Identity, type KeyPair, makeAuthority } from './authority.ts';

/** Only the owner may read keys; certificates are kept alike. */
const fileMode = 0o600;
const directoryMode = 0o700;

/** Writes a file so that after a crash it is there in full or not at all. */
export async function writeSecret(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: directoryMode });
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, text, { flag: 'wx', mode: fileMode, flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Writes an identity to `NAME.pem`, `NAME-key.pem` and `ca.pem`; a slash in its name is a dash. */
export async function writeIdentity(
  directory: string,
  name: string,
  identity: Identity,
): Promise<TlsPaths> {
  const file = name.replaceAll('/', '-');
  const paths = {
    ca: join(directory, 'ca.pem'),
    certificate: join(directory, `${file}.pem`),
    key: join(directory, `${file}-key.pem`),
  };
  await writeSecret(paths.ca, identity.ca);
  await writeSecret(paths.key, identity.key);
  await writeSecret(paths.certificate, identity.certificate);
  return paths;
}

/** The authority that a directory keeps (`ca.pem`, `ca-key.pem`); makes one where there is none. */
export async function openAuthority(
  directory: string,
  pool: string,
  now: Milliseconds,
): Promise<KeyPair> {
  const certificate = join(directory, 'ca.pem');
  const key = join(directory, 'ca-key.pem');
  const known = { certificate: await readText(certificate), key: await readText(key) };
  if (known.certificate !== null && known.key !== null)
    return { certificate: known.certificate, key: known.key };
  const made = await makeAuthority(pool, now);
  await writeSecret(key, made.key);
  await writeSecret(certificate, made.certificate);
  return made;
}

/** Null: there is no such file. */
async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
