import { explanationOf } from '../../linearizability/checker.ts';
import { hasWritten, type KeyValueOperation } from '../../linearizability/key-value.ts';
import { checkKeyValueHistory } from '../../linearizability/key-value-history.ts';
import type { Trace, UsedLease, WatchedEvent } from './trace.ts';

/** What a key holds. */
export type Content = ReadonlyMap<string, string>;

/** Problems that are told of each kind: one cause has many. */
const toldMax = 5;

/** Everything that is wrong with a trace, in sentences; `finals`: what each member holds at the end. */
export function problemsOf(trace: Trace, finals: ReadonlyMap<string, Content>): readonly string[] {
  const verdict = checkKeyValueHistory(trace.history);
  return [
    verdict.kind === 'linearizable' ? [] : [explanationOf(verdict)],
    trace.watchProblems,
    orderProblems(trace.watched),
    effectProblems(trace),
    finalProblems(trace.watched, finals),
    leaseProblems(trace.leases, trace.watched),
  ].flatMap((problems) => problems.slice(0, toldMax));
}

/** Every change follows from the one before it of its key: versions rise by one, or begin anew. */
function orderProblems(watched: readonly WatchedEvent[]): string[] {
  const problems: string[] = [];
  const versions = new Map<string, number>();
  let last = 0;
  for (const { key, kind, revision, version } of watched) {
    if (revision < last) problems.push(`the watch told of ${revision} after ${last}`);
    last = revision;
    const before = versions.get(key) ?? 0;
    if (kind === 'put' && version !== before + 1)
      problems.push(`the watch saw version ${version} of ${key} at ${revision} after ${before}`);
    if (kind === 'delete' && before === 0)
      problems.push(`the watch saw ${key} deleted at ${revision}, which was not there`);
    versions.set(key, kind === 'put' ? version : 0);
  }
  return problems;
}

/** What was acknowledged happened as it was told; nothing happened twice, or though refused. */
function effectProblems({ history, refused, watched }: Trace): string[] {
  const problems: string[] = [];
  const written = new Map<string, WatchedEvent>();
  const changes = new Map<string, WatchedEvent>();
  for (const event of watched) {
    changes.set(`${event.key}@${event.revision}`, event);
    if (event.kind === 'delete') continue;
    if (written.has(event.value)) problems.push(`"${event.value}" was written twice`);
    if (refused.has(event.value)) problems.push(`"${event.value}" was refused, and written`);
    written.set(event.value, event);
  }
  for (const operation of history) problems.push(...lostEffects(operation, changes));
  return problems;
}

function lostEffects(
  { input, output }: KeyValueOperation,
  changes: ReadonlyMap<string, WatchedEvent>,
): string[] {
  if (output === null || !hasWritten(output)) return [];
  const operations = output.succeeded ? input.success : input.failure;
  return operations.flatMap((operation, position) => {
    const reply = output.replies[position];
    const place = `${operation.key}@${output.revision}`;
    const change = changes.get(place);
    if (operation.kind === 'put' && change?.value !== operation.value)
      return [`"${operation.value}" was acknowledged as ${place}, and no watch saw it`];
    if (reply?.kind === 'delete' && reply.deleted > 0 && change?.kind !== 'delete')
      return [`the deletion ${place} was acknowledged, and no watch saw it`];
    return [];
  });
}

/** Every member holds what the changes add up to. */
function finalProblems(
  watched: readonly WatchedEvent[],
  finals: ReadonlyMap<string, Content>,
): string[] {
  const expected = new Map<string, string>();
  for (const { key, kind, value } of watched) {
    if (kind === 'put') expected.set(key, value);
    else expected.delete(key);
  }
  const problems: string[] = [];
  for (const [member, content] of finals)
    for (const key of new Set([...expected.keys(), ...content.keys()]))
      if (expected.get(key) !== content.get(key))
        problems.push(
          `at the end ${key} is "${content.get(key)}" at ${member}, not "${expected.get(key)}"`,
        );
  return problems;
}

/** A lease lasts as long as the last renewal that was acknowledged has promised. */
function leaseProblems(leases: readonly UsedLease[], watched: readonly WatchedEvent[]): string[] {
  return leases.flatMap(({ key, ttl, renewed }) => {
    const end = watched.find((event) => event.key === key && event.kind === 'delete');
    if (end === undefined) return [`the lease of ${key} never ended`];
    const lasted = end.at - renewed;
    return lasted < ttl ? [`the lease of ${key} ended after ${lasted} ms of ${ttl}`] : [];
  });
}
