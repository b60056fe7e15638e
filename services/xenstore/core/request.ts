import { fail } from '../../../base/result.ts';
import type { Handler, Outcome, StoreActions } from './actions.ts';
import type { Connection } from './connection.ts';
import { control } from './control.ts';
import {
  getDomainPath,
  getFeature,
  getQuota,
  introduce,
  isIntroduced,
  release,
  resume,
  setFeature,
  setQuota,
  setTarget,
} from './domain-requests.ts';
import {
  getPermissions,
  list,
  listPart,
  makeDirectory,
  read,
  remove,
  setPermissions,
  write,
} from './node-requests.ts';
import {
  endTransaction,
  resetWatches,
  startTransaction,
  unwatch,
  watch,
} from './watch-requests.ts';
import { type MessageName, messageName, type Packet } from './wire.ts';

interface Entry {
  readonly handle: Handler;
  /** The control domain alone may ask it. */
  readonly privileged?: true;
  /** The packet's transaction is not looked at. */
  readonly outside?: true;
}

/** The table of messages of docs/misc/xenstore.txt. Null: the daemon sends it, and nobody else. */
const table: Readonly<Record<MessageName, Entry | null>> = {
  CONTROL: { handle: control, privileged: true },
  DIRECTORY: { handle: list },
  READ: { handle: read },
  GET_PERMS: { handle: getPermissions },
  WATCH: { handle: watch, outside: true },
  UNWATCH: { handle: unwatch, outside: true },
  TRANSACTION_START: { handle: startTransaction },
  TRANSACTION_END: { handle: endTransaction },
  INTRODUCE: { handle: introduce, privileged: true },
  RELEASE: { handle: release, privileged: true },
  GET_DOMAIN_PATH: { handle: getDomainPath },
  WRITE: { handle: write },
  MKDIR: { handle: makeDirectory },
  RM: { handle: remove },
  SET_PERMS: { handle: setPermissions },
  WATCH_EVENT: null,
  ERROR: null,
  IS_DOMAIN_INTRODUCED: { handle: isIntroduced, privileged: true },
  RESUME: { handle: resume, privileged: true },
  SET_TARGET: { handle: setTarget, privileged: true },
  RESET_WATCHES: { handle: resetWatches },
  DIRECTORY_PART: { handle: listPart },
  GET_FEATURE: { handle: getFeature },
  SET_FEATURE: { handle: setFeature, privileged: true },
  GET_QUOTA: { handle: getQuota, privileged: true },
  SET_QUOTA: { handle: setQuota, privileged: true },
};

/** Handles one request of one connection. */
export function handleRequest(
  store: StoreActions,
  connection: Connection,
  packet: Packet,
): Outcome {
  const name = messageName(packet.type);
  const entry = name === undefined ? null : table[name];
  if (entry === null) return fail('ENOSYS');
  if (entry.privileged && !connection.domain.privileged) return fail('EACCES');
  const { transactionId, payload } = packet;
  const named = transactionId !== 0 && entry.outside !== true;
  const transaction = named ? connection.transactions.get(transactionId) : undefined;
  if (named && transaction === undefined) return fail('ENOENT');
  return entry.handle({ store, connection, packet, payload, transaction });
}
