import { fail, ok } from '../../../base/result.ts';
import type { Handler } from './actions.ts';
import { watchKey } from './connection.ts';
import { features } from './domain.ts';
import { checkedPath } from './node-requests.ts';
import { domainPath, formatPath, parseWatchable } from './path.ts';
import { readString, readStrings } from './payload.ts';
import { done, text } from './reply.ts';
import type { Watch } from './watches.ts';

/** Watches and transactions: docs/misc/xenstore.txt, the sections of these names. */

/** WATCH: a path, a token and, where the domain has the feature, how far below the path. */
export const watch: Handler = ({ store, connection, payload }) => {
  const { domain } = connection;
  const [name, token, levels, more] = readStrings(payload);
  if (name === undefined || token === undefined || more !== undefined) return fail('EINVAL');
  if (levels !== undefined && (domain.features & features.watchDepth) === 0) return fail('EINVAL');
  if (levels !== undefined && !/^\d{1,9}$/.test(levels)) return fail('EINVAL');
  const path = checkedPath(name, domain, parseWatchable);
  if (!path.ok) return path;
  if (connection.watches.has(watchKey(formatPath(path.value), token))) return fail('EEXIST');
  if (domain.exceeds('watches', domain.used.watches + 1)) return fail('ENOSPC');
  const bytes = formatPath(path.value).length + token.length;
  if (domain.exceeds('memory', domain.used.memory + bytes)) return fail('ENOMEM');
  const relative = !name.startsWith('/') && !name.startsWith('@');
  const watched: Watch = {
    connection,
    token,
    path: path.value,
    hidden: relative ? domainPath(domain.id).length + 1 : 0,
    depth: levels === undefined ? null : Number(levels),
  };
  store.sessions.watch(connection, watched);
  return done.ok && done.value.reply !== 'later' ? ok({ reply: done.value.reply, watched }) : done;
};

/** UNWATCH: a path and a token. */
export const unwatch: Handler = ({ store, connection, payload }) => {
  const [name, token, more] = readStrings(payload);
  if (name === undefined || token === undefined || more !== undefined) return fail('EINVAL');
  const path = checkedPath(name, connection.domain, parseWatchable);
  if (!path.ok) return path;
  return store.sessions.unwatch(connection, path.value, token) ? done : fail('ENOENT');
};

/** RESET_WATCHES: ends the caller's watches and its transactions. */
export const resetWatches: Handler = ({ store, connection }) => {
  store.sessions.reset(connection);
  return done;
};

/** TRANSACTION_START. */
export const startTransaction: Handler = ({ store, connection, transaction }) => {
  const { domain } = connection;
  if (transaction !== undefined) return fail('EBUSY');
  if (domain.exceeds('transactions', domain.used.transactions + 1)) return fail('ENOSPC');
  return text(String(store.begin(connection)));
};

/** TRANSACTION_END: `T` commits, `F` forgets. */
export const endTransaction: Handler = (request) => {
  const verdict = readString(request.payload);
  if (!verdict.ok) return verdict;
  if (verdict.value !== 'T' && verdict.value !== 'F') return fail('EINVAL');
  if (request.transaction === undefined) return fail('ENOENT');
  const outcome = request.store.end(request, verdict.value === 'T');
  return outcome.ok ? done : outcome;
};
