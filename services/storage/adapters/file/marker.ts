import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { errnoOf, replaceFile } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { HostIdSchema, NameSchema, SrIdSchema } from '../../../../pool/records/identifiers.ts';
import { attempt } from './failures.ts';

/** The file in an SR's folder that says which SR it is. */
export const markerName = 'flotilla-sr.json';

/** What may lie in a folder that becomes an SR: what mkfs leaves in a new file system. */
const allowedInNew = new Set(['lost+found', `${markerName}.writing`]);

const MarkerSchema = v.object({
  format: v.literal('flotilla-sr-1'),
  id: SrIdSchema,
  host: HostIdSchema,
  name: NameSchema,
});

/** Which SR a folder is, and whose. */
export type Marker = Omit<v.InferOutput<typeof MarkerSchema>, 'format'>;

/** What the folder's marker says; null if there is none. A damaged one is a failure. */
export async function readMarker(directory: string): Promise<Result<Marker | null, Failure>> {
  const path = join(directory, markerName);
  const text = await attempt(`read ${markerName}`, directory, () =>
    readFile(path, 'utf8').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return null;
      throw error;
    }),
  );
  if (!text.ok) return text;
  if (text.value === null) return ok(null);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), MarkerSchema), text.value);
  if (!parsed.success)
    return fail({
      reason: 'STORAGE',
      message: `${path} is damaged, so it is not known which SR is there`,
      remedy:
        'Restore it from a backup, or write it anew as {"format": "flotilla-sr-1", "id": ID, ' +
        '"host": HOST-ID, "name": NAME} with what the pool says of this SR.',
    });
  const { id, host, name } = parsed.output;
  return ok({ id, host, name });
}

/** Marks a folder as a new SR; makes the folder. It must not hold anything. */
export async function writeMarker(
  directory: string,
  marker: Marker,
): Promise<Result<void, Failure>> {
  const content = await attempt('make an SR', directory, async () => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    return readdir(directory);
  });
  if (!content.ok) return content;
  const foreign = content.value.find((name) => !allowedInNew.has(name));
  if (foreign !== undefined)
    return fail({
      reason: 'STORAGE',
      message: `${directory} has no ${markerName} but holds "${foreign}", so no SR is made there`,
      remedy: `Name an empty folder in the configuration's srs, or put its ${markerName} back.`,
    });
  const text = `${JSON.stringify({ format: 'flotilla-sr-1', ...marker }, null, 2)}\n`;
  return attempt('write the marker', directory, () =>
    replaceFile(join(directory, markerName), text),
  );
}

/** Returns the marker, or refuses it: the folder is another SR, or another host's. */
export function checkMarker(
  directory: string,
  marker: Marker,
  expected: Omit<Marker, 'id'>,
): Result<Marker, Failure> {
  if (marker.host === expected.host && marker.name === expected.name) return ok(marker);
  const [what, found] =
    marker.host === expected.host
      ? ['is the SR', `"${marker.name}", not "${expected.name}"`]
      : ['belongs to the host', marker.host];
  return fail({
    reason: 'STORAGE',
    message: `${directory} ${what} ${found}`,
    remedy:
      "Correct the path or the name in the configuration's srs. If the disk was moved here on " +
      `purpose, edit ${join(directory, markerName)}.`,
  });
}
