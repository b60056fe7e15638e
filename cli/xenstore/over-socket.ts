import { fail, ok, type Result } from '../../base/result.ts';
import {
  type ClientFailure,
  type ClientOptions,
  readTree,
  type Transaction,
  type Transport,
  XenstoreClient,
} from '../../services/xenstore/client/index.ts';
import type { Problem } from '../problem.ts';
import type { Nodes, WatchNews, Xenstore } from './access.ts';
import {
  controlProblem,
  isXenstoreError,
  timedOut,
  unreachable,
  xenstoreProblem,
} from './problems.ts';

/** A xenstore that is reached over its socket, or through the kernel. */
export interface SocketXenstore extends Xenstore {
  close(): void;
}

/** Connects. */
export async function overSocket(
  transport: Transport,
  options: Partial<ClientOptions>,
): Promise<Result<SocketXenstore, Problem>> {
  const { timeout } = options;
  const opened = await XenstoreClient.open(transport, {
    ...options,
    ...(timeout === undefined ? {} : { controlTimeout: timeout }),
  });
  if (!opened.ok) return fail(unreachable('no xenstored answers', reasonsOf(opened.error)));
  const client = opened.value;
  return ok({
    ...nodesOf(client),
    transaction: async (body) => {
      const outcome = await client.transaction(async (inside) => {
        const result = await body(nodesOf(inside));
        return result.ok ? result : fail({ problem: result.error });
      });
      if (outcome.ok) return outcome;
      return 'problem' in outcome.error
        ? fail(outcome.error.problem)
        : fail(problemOfClient(outcome.error, 'end the transaction', ''));
    },
    tree: async (path, levels) => {
      const tree = await readTree(client, path, { depth: levels });
      if (!tree.ok) return fail(problemOfClient(tree.error, `list ${path}`, path));
      // The first one is the node at the path itself.
      return ok(tree.value.slice(1));
    },
    watch: (path, levels, onNews, signal) => watch(client, path, levels, onNews, signal),
    control: async (words) => {
      const answer = await client.control(...words);
      if (answer.ok) return answer;
      const { code } = answer.error;
      if (isXenstoreError(code)) return fail(controlProblem(code, words));
      return fail(problemOfClient(answer.error, `do "${words.join(' ')}"`, ''));
    },
    close: () => client.close(),
  });
}

/** Each way that was tried, and why it did not lead anywhere. */
function reasonsOf({ message }: ClientFailure): readonly string[] {
  return message.replace(/^the connection to xenstored is over: /, '').split('; ');
}

function nodesOf(operations: Transaction): Nodes {
  const told = async <Value>(
    doing: string,
    path: string,
    asked: Promise<Result<Value, ClientFailure>>,
  ): Promise<Result<Value, Problem>> => {
    const answer = await asked;
    return answer.ok ? answer : fail(problemOfClient(answer.error, `${doing} ${path}`, path));
  };
  return {
    read: (path) => told('read', path, operations.read(path)),
    write: (path, value) => told('write', path, operations.write(path, value)),
    mkdir: (path) => told('make', path, operations.mkdir(path)),
    remove: (path) => told('remove', path, operations.remove(path)),
    list: (path) => told('list', path, operations.list(path)),
    permissions: (path) => told('read the permissions of', path, operations.getPermissions(path)),
    setPermissions: (path, permissions) =>
      told('set the permissions of', path, operations.setPermissions(path, permissions)),
  };
}

function problemOfClient({ code, message }: ClientFailure, doing: string, path: string): Problem {
  if (isXenstoreError(code)) return xenstoreProblem(code, doing, path);
  return code === 'TIMEOUT' ? timedOut(doing) : unreachable(`cannot ${doing}: ${message}`);
}

async function watch(
  client: XenstoreClient,
  path: string,
  levels: number | undefined,
  onNews: (news: WatchNews) => 'go on' | 'stop',
  signal: AbortSignal,
): Promise<Result<void, Problem>> {
  const set = await client.watch(path, levels === undefined ? {} : { depth: levels });
  if (!set.ok) return fail(problemOfClient(set.error, `watch ${path}`, path));
  const leave = () => void set.value.unsubscribe();
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  for await (const event of set.value) {
    if (event.kind === 'ended')
      return fail(problemOfClient(event.failure, `watch ${path} any longer`, path));
    if (onNews(event) === 'stop') break;
  }
  return ok(undefined);
}
