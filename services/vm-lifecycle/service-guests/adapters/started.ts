import { join } from 'node:path';
import * as v from 'valibot';
import { replaceFile } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { DomainId } from '../../../../hypervisor/port.ts';
import { Sha256Schema } from '../../../../pool/images/digest.ts';
import { attempt, readSmall } from './files.ts';

/** The file has some hundred bytes. */
const sizeMax = 64 * 2 ** 10;

const StartedSchema = v.strictObject({
  domain: v.pipe(
    v.number(),
    v.integer(),
    v.minValue(1),
    v.transform((number) => number as DomainId),
  ),
  /** The digest of the manifest of the image that was started. */
  image: Sha256Schema,
  version: v.string(),
  ports: v.array(v.number()),
  /** Milliseconds since 1970. */
  at: v.number(),
});

/** What was started last for a service: a supervisor that finds it running need not guess. */
export type Started = v.InferOutput<typeof StartedSchema>;

const fileName = 'started.json';

/** Writes down what is about to run. */
export function writeStarted(directory: string, started: Started): Promise<Result<void, string>> {
  return attempt(`${directory} cannot be written`, () =>
    replaceFile(join(directory, fileName), `${JSON.stringify(started, null, 2)}\n`),
  );
}

/** What was started last; the failure says why that is not known. */
export async function readStarted(directory: string): Promise<Result<Started, string>> {
  const path = join(directory, fileName);
  const text = await readSmall(path, sizeMax);
  if (!text.ok) return text;
  const parsed = v.safeParse(
    v.pipe(v.string(), v.parseJson(), StartedSchema),
    text.value.toString(),
  );
  return parsed.success ? ok(parsed.output) : fail(`${path}: ${v.summarize(parsed.issues)}`);
}
