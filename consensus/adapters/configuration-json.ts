import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Configuration } from '../core/configuration.ts';
import { memberId } from '../core/ids.ts';

/** Most members in a configuration that is believed. */
const membersMax = 1024;

/** Most addresses of one member, and the length of each, that are believed. */
const addressesMax = 16;
const addressLengthMax = 300;

const Id = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.transform(memberId));
const Ids = v.pipe(v.array(Id), v.maxLength(membersMax));
const Peers = v.pipe(
  v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(addressLengthMax))),
  v.maxLength(addressesMax),
);

/** What configurations were written as before they told addresses is read as well. */
const ConfigurationSchema = v.object({
  voters: Ids,
  learners: Ids,
  joining: v.optional(Ids, []),
  addresses: v.optional(
    v.pipe(v.array(v.object({ member: Id, peers: Peers })), v.maxLength(membersMax)),
    [],
  ),
});

/** Reads a configuration out of parsed JSON, as files and log records hold it. */
export function readConfiguration(json: unknown): Result<Configuration, string> {
  const parsed = v.safeParse(ConfigurationSchema, json);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return fail(`${v.getDotPath(issue) ?? 'configuration'}: ${issue.message}`);
}

/** Whether these can be the addresses of one member. */
export function arePeers(peers: readonly string[]): boolean {
  return peers.length > 0 && v.is(Peers, peers);
}

/** Reads the text that `configurationText` has written; null if it is none. */
export function parseConfiguration(text: string): Configuration | null {
  try {
    const read = readConfiguration(JSON.parse(text));
    return read.ok ? read.value : null;
  } catch {
    return null;
  }
}

/** A configuration as text: few are written, so that their form may be easy to read and extend. */
export function configurationText(configuration: Configuration): string {
  return JSON.stringify(configuration);
}
