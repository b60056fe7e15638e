import { fail, ok, type Result } from '../../base/result.ts';
import type { Manifest } from './manifest.ts';

/** The fields of services' configurations that say where they listen, as HOST:PORT. */
const listeningFields = ['listen', 'listenClient', 'listenPeer'] as const;

/**
 * Whether a service with this configuration listens where the manifest of its image says, on all of these
 * ports and on no others: they are what its guest is asked on, and what a firewall lets through. The failure
 * is a sentence that says what to write.
 */
export function checkListening(
  configuration: Readonly<Record<string, unknown>>,
  { ports }: Pick<Manifest, 'ports'>,
): Result<void, string> {
  const named = ports.map(({ port }) => port);
  const listening = listeningFields.flatMap((field) => {
    const port = portOf(configuration[field]);
    return port === null ? [] : [{ field, port }];
  });
  const other = listening.find(({ port }) => !named.includes(port));
  if (other !== undefined)
    return fail(
      `${other.field} has port ${other.port}, and the image's manifest names ${named.length === 0 ? 'none' : `only ${named.join(', ')}`}; ${remedy(named)}`,
    );
  const missing = named.find((port) => listening.every((each) => each.port !== port));
  if (missing === undefined) return ok(undefined);
  return fail(
    `nothing listens on port ${missing}, which the image's manifest names; ${remedy(named)}`,
  );
}

function remedy(named: readonly number[]): string {
  return named.length === 0
    ? `leave ${listeningFields.join(', ')} out`
    : `write ADDRESS:${named[0]} there`;
}

/** The port of HOST:PORT; null: that is not what it is. */
function portOf(value: unknown): number | null {
  const digits = typeof value === 'string' ? /:(\d{1,5})$/.exec(value)?.[1] : undefined;
  return digits === undefined ? null : Number(digits);
}
