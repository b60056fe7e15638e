import { setTimeout as sleep } from 'node:timers/promises';
import { type ServiceError, status } from '@grpc/grpc-js';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { failureOf } from '../../pool/rpc/status.ts';
import type { CallSettings, Client } from '../../proto/client.ts';
import type {
  ReadTreeResponse,
  WatchEvent,
  XenstoreService,
} from '../../proto/gen/flotilla.xenstore.v1.ts';
import type {
  DomainId,
  Permission,
  Permissions,
  TreeNode,
} from '../../services/xenstore/client/index.ts';
import { callFailure } from '../connection/call.ts';
import type { Problem } from '../problem.ts';
import type { Nodes, WatchNews, Xenstore } from './access.ts';
import {
  controlProblem,
  isXenstoreError,
  timedOut,
  unreachable,
  xenstoreProblem,
} from './problems.ts';

/** Times that a transaction is begun again where others have spoiled it, and the pauses between. */
const attempts = 16;
const pauseMax = milliseconds(200);

/** How a host's xenstored is called. */
export interface Host {
  readonly name: string;
  readonly client: Client<XenstoreService>;
  /** What one call may take. */
  patience(): Milliseconds;
}

/** The xenstore of a host of the pool. */
export function overGrpc(host: Host): Xenstore {
  const { client } = host;
  return {
    ...nodesOf(host, 0),
    transaction: async (body) => {
      for (let attempt = 1; ; attempt += 1) {
        const begun = await client.startTransaction({}, { timeout: host.patience() });
        if (!begun.ok) return fail(problemOfCall(host, begun.error, 'begin a transaction', ''));
        const { transaction } = begun.value;
        const result = await body(nodesOf(host, transaction));
        const commit = result.ok;
        const ended = await client.endTransaction(
          { transaction, commit },
          { timeout: host.patience() },
        );
        if (!result.ok || ended.ok) return result;
        if (ended.error.code !== status.ABORTED || attempt === attempts)
          return fail(problemOfCall(host, ended.error, 'end the transaction', ''));
        await sleep(Math.random() * Math.min(pauseMax, 2 ** attempt));
      }
    },
    tree: (path, levels) => tree(host, path, levels),
    watch: (path, levels, onNews, signal) => watch(host, path, levels, onNews, signal),
    control: async (words) => {
      const answer = await client.control({ words }, { timeout: host.patience() });
      if (answer.ok) return ok(answer.value.text);
      const code = codeOf(failureOf(answer.error).message);
      if (code !== undefined) return fail(controlProblem(code, words));
      return fail(problemOfCall(host, answer.error, `do "${words.join(' ')}"`, ''));
    },
  };
}

function nodesOf(host: Host, transaction: number): Nodes {
  const { client } = host;
  const told = async <Response, Value>(
    doing: string,
    path: string,
    ask: (settings: CallSettings) => Promise<Result<Response, ServiceError>>,
    answerOf: (response: Response) => Value,
  ): Promise<Result<Value, Problem>> => {
    const answer = await ask({ timeout: host.patience() });
    if (answer.ok) return ok(answerOf(answer.value));
    return fail(problemOfCall(host, answer.error, `${doing} ${path}`, path));
  };
  const nothing = () => undefined;
  return {
    read: (path) =>
      told(
        'read',
        path,
        (to) => client.read({ path, transaction }, to),
        ({ value }) => value,
      ),
    write: (path, value) =>
      told('write', path, (to) => client.write({ path, value, transaction }, to), nothing),
    mkdir: (path) =>
      told('make', path, (to) => client.makeDirectory({ path, transaction }, to), nothing),
    remove: (path) =>
      told('remove', path, (to) => client.remove({ path, transaction }, to), nothing),
    list: async (path) => {
      const children: string[] = [];
      let pageToken = '';
      do {
        const page = await told(
          'list',
          path,
          (to) => client.list({ path, transaction, pageSize: 1000, pageToken }, to),
          (response) => response,
        );
        if (!page.ok) return page;
        children.push(...page.value.children);
        pageToken = page.value.nextPageToken;
      } while (pageToken !== '');
      return ok(children);
    },
    permissions: async (path) => {
      const doing = 'read the permissions of';
      const answer = await told(
        doing,
        path,
        (to) => client.getPermissions({ path, transaction }, to),
        ({ permissions }) => permissionsOf(permissions),
      );
      if (!answer.ok) return answer;
      if (answer.value !== null) return ok(answer.value);
      return fail(unreachable(`cannot ${doing} ${path}: the answer has none`));
    },
    setPermissions: (path, permissions) => {
      const entries = permissions.map(({ domain, read, write }) => ({
        domid: domain,
        read,
        write,
      }));
      return told(
        'set the permissions of',
        path,
        (to) => client.setPermissions({ path, permissions: entries, transaction }, to),
        nothing,
      );
    },
  };
}

function permissionsOf(
  entries: readonly { readonly domid: number; readonly read: boolean; readonly write: boolean }[],
): Permissions | null {
  const [first, ...rest] = entries.map(
    ({ domid, read, write }): Permission => ({ domain: domid as DomainId, read, write }),
  );
  return first === undefined ? null : [first, ...rest];
}

async function tree(
  host: Host,
  path: string,
  levels: number | undefined,
): Promise<Result<readonly TreeNode[], Problem>> {
  const request = levels === undefined ? { path } : { path, depth: levels };
  const stream = host.client.readTree(request, { timeout: host.patience() });
  const nodes: TreeNode[] = [];
  try {
    for await (const message of stream as AsyncIterable<ReadTreeResponse>)
      for (const { path: at, value, permissions } of message.nodes)
        nodes.push({ path: at, value, permissions: permissionsOf(permissions) });
  } catch (error) {
    return fail(problemOfCall(host, error as ServiceError, `list ${path}`, path));
  }
  // The first one is the node at the path itself.
  return ok(nodes.slice(1));
}

async function watch(
  host: Host,
  path: string,
  levels: number | undefined,
  onNews: (news: WatchNews) => 'go on' | 'stop',
  signal: AbortSignal,
): Promise<Result<void, Problem>> {
  const request = levels === undefined ? { path } : { path, depth: levels };
  const stream = host.client.watch(request, { signal });
  try {
    for await (const event of stream as AsyncIterable<WatchEvent>)
      if (onNews({ kind: 'changed', path: event.path }) === 'stop') {
        stream.cancel();
        return ok(undefined);
      }
  } catch (error) {
    if (signal.aborted) return ok(undefined);
    return fail(problemOfCall(host, error as ServiceError, `watch ${path}`, path));
  }
  if (signal.aborted) return ok(undefined);
  return fail(unreachable(`cannot watch ${path} any longer: ${host.name} has ended the watch`));
}

function problemOfCall(host: Host, error: ServiceError, doing: string, path: string): Problem {
  const failure = callFailure(error);
  if (failure.kind === 'silent')
    return error.code === status.DEADLINE_EXCEEDED
      ? timedOut(doing)
      : unreachable(`the xenstored of ${host.name} does not answer`, [failure.why]);
  const code = codeOf(failure.problem.message);
  return code === undefined ? failure.problem : xenstoreProblem(code, doing, path);
}

/** xenstore's name of an error, with which the message of such an error begins. */
function codeOf(message: string) {
  const code = /^E[A-Z0-9]+(?=: )/.exec(message)?.[0];
  return code !== undefined && isXenstoreError(code) ? code : undefined;
}
