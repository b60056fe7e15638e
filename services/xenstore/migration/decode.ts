import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { ConnectionId, DomainDump } from '../core/domain.ts';
import type { StoreDump } from '../core/dump.ts';
import { controlDomain } from '../core/permissions.ts';
import type { ConnectionDump, WatchDump } from '../core/sessions.ts';
import type { TransactionDump } from '../core/transaction.ts';
import type { Node } from '../core/tree.ts';
import { ByteReader } from './bytes.ts';
import type { Image, Link } from './image.ts';
import { ownIdent, ownTypes, ownVersion } from './own.ts';
import {
  ConnectionSchema,
  DomainSchema,
  StoreSchema,
  TransactionSchema,
  WatchesSchema,
} from './own-schema.ts';
import type { StreamRecord } from './records.ts';
import { headerBytes, readFramed, readStream } from './stream.ts';
import { type NodeMarks, pathOfText, readDifference, readMarks, TreeDraft } from './trees.ts';

type Made = Result<Image, string>;

/**
 * Reads what `encodeImage` has written. The failure says where it is damaged; nothing of a damaged
 * image is used. A stream of another xenstored has no section of ours: see `foreign.ts`.
 */
export function decodeImage(content: Buffer): Made {
  const stream = readStream(content);
  if (!stream.ok) return stream;
  const { records, rest } = stream.value;
  if (rest.length < headerBytes || rest.toString('latin1', 0, 8) !== ownIdent)
    return fail('it has no section of ours');
  if (rest.readUInt32LE(8) !== ownVersion)
    return fail(`our section has version ${rest.readUInt32LE(8)}`);
  const reading = new Reading(records);
  for (let at = headerBytes; ; ) {
    const framed = readFramed(rest, at);
    if (!framed.ok) return fail(`our section: ${framed.error}`);
    const { type, body, next } = framed.value;
    if (type === ownTypes.END) {
      const before = content.subarray(0, content.length - rest.length + at);
      if (body.length !== 8 || new ByteReader(body).u32() !== crc32(before))
        return fail('its checksum does not agree');
      return reading.finish();
    }
    const fault = reading.take(type, body);
    if (fault !== null) return fail(`our section at byte ${at}: ${fault}`);
    at = next;
  }
}

/** A record of ours that is not as it should be. */
type Fault = string | null;

/** Puts together what comes record by record. */
class Reading {
  readonly #records: readonly StreamRecord[];
  readonly #domains: DomainDump[] = [];
  readonly #connections: Omit<ConnectionDump, 'transactions'>[] = [];
  readonly #links = new Map<ConnectionId, Link>();
  readonly #watches: WatchDump[] = [];
  readonly #marks: NodeMarks[] = [];
  readonly #transactions = new Map<ConnectionId, TransactionDump[]>();
  #counters: v.InferOutput<typeof StoreSchema> | null = null;
  #top: Node | null = null;
  #base: Node | null = null;

  constructor(records: readonly StreamRecord[]) {
    this.#records = records;
  }

  take(type: number, body: Uint8Array): Fault {
    switch (type) {
      case ownTypes.STORE:
        return parse(StoreSchema, body, (counters) => {
          this.#counters = counters;
        });
      case ownTypes.DOMAIN:
        return parse(DomainSchema, body, (domain) => this.#domains.push(domain));
      case ownTypes.CONNECTION:
        return parse(ConnectionSchema, body, ({ link, ...connection }) => {
          this.#connections.push(connection);
          if (link !== null) this.#links.set(connection.id, link);
        });
      case ownTypes.WATCHES:
        return parse(WatchesSchema, body, (watches) => this.#watches.push(...watches));
      case ownTypes.NODES:
        return this.#nodes(new ByteReader(body));
      case ownTypes.TRANSACTION:
        return this.#transaction(new ByteReader(body));
      default:
        return `a record of type ${type}`;
    }
  }

  finish(): Made {
    const top = this.#tree();
    if (top === null) return fail('its nodes do not make a tree');
    if (this.#counters === null) return fail('it has no counters');
    const { nextConnection, listening, eventChannels, ...counters } = this.#counters;
    const connections = this.#connections.map((connection) => ({
      ...connection,
      transactions: (this.#transactions.get(connection.id) ?? []).toSorted(
        (one, other) => one.id - other.id,
      ),
    }));
    const store: StoreDump = {
      ...counters,
      top,
      connections,
      domains: this.#domains,
      watches: this.#watches,
    };
    if (!agrees(store)) return fail('what it says of domains and connections does not agree');
    return ok({ store, nextConnection, links: this.#links, listening, eventChannels });
  }

  #nodes(reader: ByteReader): Fault {
    // The padding is shorter than the marks of a node.
    while (reader.left >= marksMin) this.#marks.push(readMarks(reader));
    return reader.broken ? 'marks of nodes' : null;
  }

  #transaction(reader: ByteReader): Fault {
    this.#base ??= this.#tree();
    if (this.#base === null) return 'a transaction of no tree';
    const meta = reader.bytes(reader.count());
    const base = readDifference(reader, '', this.#base);
    const top = base === null ? null : readDifference(reader, '', base);
    if (base === null || top === null) return 'a tree';
    this.#base = base;
    return parse(TransactionSchema, meta, ({ connection, ...rest }) => {
      const others = this.#transactions.get(connection) ?? [];
      this.#transactions.set(connection, [...others, { ...rest, base, top }]);
    });
  }

  /** The tree of all, once its marks are read. */
  #tree(): Node | null {
    if (this.#top !== null) return this.#top;
    const [topMarks, ...marks] = this.#marks;
    if (topMarks === undefined) return null;
    const draft = new TreeDraft([{ domain: controlDomain, read: false, write: false }], topMarks);
    let index = 0;
    for (const record of this.#records) {
      if (record.kind !== 'node' || record.connection !== 0) continue;
      const path = pathOfText(record.path);
      const own = marks[index];
      index += 1;
      if (path === null || record.permissions === null || own === undefined) return null;
      if (!draft.add(path, record.value, record.permissions, own)) return null;
    }
    if (index !== marks.length) return null;
    this.#top = draft.finish(topMarks);
    return this.#top;
  }
}

/** Two counts of at least a byte, a domid, and two words. */
const marksMin = 12;

function parse<Value>(
  schema: v.GenericSchema<unknown, Value>,
  body: Uint8Array,
  take: (value: Value) => void,
): Fault {
  const text = Buffer.from(body).toString('utf8').replace(/\0+$/, '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'no JSON';
  }
  const parsed = v.safeParse(schema, value);
  if (!parsed.success) return `${v.getDotPath(parsed.issues[0]) ?? ''} is not as it should be`;
  take(parsed.output);
  return null;
}

/** Whether everything that is named is there, so that a store can be made of it. */
function agrees({ domains, connections, watches, spoilers, debtors }: StoreDump): boolean {
  const ids = new Set(domains.map(({ id }) => id));
  const clients = new Set(connections.map(({ id }) => id));
  return (
    ids.has(controlDomain) &&
    ids.size === domains.length &&
    clients.size === connections.length &&
    connections.every(({ domain }) => ids.has(domain)) &&
    domains.every((domain) => domain.connections.every((id) => clients.has(id))) &&
    watches.every(({ connection }) => clients.has(connection)) &&
    spoilers.every(({ victim, spoiler }) => clients.has(victim) && ids.has(spoiler)) &&
    debtors.every((id) => ids.has(id))
  );
}
