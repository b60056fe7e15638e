import { fail, ok, type Result } from '../../../../base/result.ts';
import { type ImageKey, keyFileSize, readPublicKey } from '../../../../pool/images/keys.ts';
import { readSmall } from './files.ts';

/** Reads the public keys that images may be signed with. The failure names the file. */
export async function readTrustedKeys(
  paths: readonly string[],
): Promise<Result<readonly ImageKey[], string>> {
  const keys: ImageKey[] = [];
  for (const path of paths) {
    const text = await readSmall(path, keyFileSize);
    if (!text.ok) return text;
    const key = readPublicKey(text.value.toString());
    if (!key.ok) return fail(`${path} is no public key: ${key.error}`);
    keys.push(key.value);
  }
  return ok(keys);
}
