import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { checkListening } from '../../../../pool/images/listening.ts';
import type { Manifest } from '../../../../pool/images/manifest.ts';
import { readSmall } from './files.ts';

/** Services read a configuration no further than this. */
const sizeMax = 2 ** 20;

/** The file of a seed that a service reads whose image has no configuration linked in. */
const fileName = 'configuration.json';

const FieldsSchema = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.unknown()));

/**
 * Whether the service would listen where its image's manifest says, as far as its seed tells: a guest that
 * listens elsewhere is asked in vain, and would be destroyed for it again and again.
 */
export async function checkSeedConfiguration(
  seed: string | null,
  manifest: Pick<Manifest, 'configuration' | 'ports'>,
): Promise<Result<void, string>> {
  if (seed === null || manifest.configuration !== null) return ok(undefined);
  const path = join(seed, fileName);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) return ok(undefined);
  const text = await readSmall(path, sizeMax);
  if (!text.ok) return text;
  const fields = v.safeParse(FieldsSchema, text.value.toString());
  if (!fields.success) return fail(`${path} is no JSON object: ${v.summarize(fields.issues)}`);
  const listening = checkListening(fields.output, manifest);
  return listening.ok ? listening : fail(`${path}: ${listening.error}`);
}
