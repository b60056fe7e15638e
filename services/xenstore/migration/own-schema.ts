import * as v from 'valibot';
import type { DomainDump } from '../core/domain.ts';
import type { StoreDump } from '../core/dump.ts';
import { adapterCommands } from '../core/input.ts';
import type { DomainId, Permissions } from '../core/permissions.ts';
import type { ConnectionDump, WatchDump } from '../core/sessions.ts';
import type { TransactionDump } from '../core/transaction.ts';
import type { Link } from './image.ts';

/** The shapes of the JSON in our own section. */

const NumberSchema = v.pipe(v.number(), v.safeInteger());
const CountSchema = v.pipe(NumberSchema, v.minValue(0));
const DomainIdSchema = v.pipe(
  CountSchema,
  v.maxValue(0xffff),
  v.transform((id) => id as DomainId),
);
const BytesSchema = v.pipe(
  v.string(),
  v.base64(),
  v.transform((text) => new Uint8Array(Buffer.from(text, 'base64'))),
);
const PathSchema = v.array(v.string());

const UsageSchema = v.strictObject({
  nodes: NumberSchema,
  watches: NumberSchema,
  outstanding: NumberSchema,
  memory: NumberSchema,
  transactions: NumberSchema,
  'transaction-nodes': NumberSchema,
  permissions: NumberSchema,
  'path-max': NumberSchema,
  'node-size': NumberSchema,
});
const QuotasSchema = v.strictObject({ hard: UsageSchema, softMemory: CountSchema });

const ErrorSchema = v.picklist([
  'EINVAL',
  'EACCES',
  'EEXIST',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'EIO',
  'ENOSYS',
  'EBUSY',
  'EAGAIN',
  'E2BIG',
  'EPERM',
]);

const PlaceSchema = v.strictObject({
  domain: DomainIdSchema,
  gfn: NumberSchema,
  port: CountSchema,
  features: CountSchema,
});
const QuestionSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('map'), ...PlaceSchema.entries }),
  v.strictObject({
    kind: v.literal('control'),
    command: v.picklist(adapterCommands),
    parameters: v.array(v.string()),
  }),
]);
const PacketSchema = v.strictObject({
  type: CountSchema,
  requestId: CountSchema,
  transactionId: CountSchema,
  payload: BytesSchema,
});

type Shape<Type> = v.GenericSchema<unknown, Type>;

/** The record STORE: what there is one of. */
export const StoreSchema = v.strictObject({
  generation: CountSchema,
  nextTicket: CountSchema,
  nextTransaction: CountSchema,
  awake: v.boolean(),
  quotas: QuotasSchema,
  waiting: v.array(
    v.strictObject({
      ticket: CountSchema,
      connection: CountSchema,
      packet: PacketSchema,
      question: QuestionSchema,
    }),
  ),
  spoilers: v.array(
    v.strictObject({ victim: CountSchema, spoiler: DomainIdSchema, credit: CountSchema }),
  ),
  debtors: v.array(DomainIdSchema),
  nextConnection: CountSchema,
  listening: v.nullable(CountSchema),
  eventChannels: v.nullable(CountSchema),
}) satisfies Shape<
  Omit<StoreDump, 'top' | 'domains' | 'connections' | 'watches'> & {
    readonly nextConnection: number;
    readonly listening: number | null;
    readonly eventChannels: number | null;
  }
>;

/** The record DOMAIN. */
export const DomainSchema: Shape<DomainDump> = v.strictObject({
  id: DomainIdSchema,
  quotas: QuotasSchema,
  used: UsageSchema,
  peak: UsageSchema,
  connections: v.array(CountSchema),
  introduced: v.boolean(),
  shutdown: v.boolean(),
  features: CountSchema,
  target: v.nullable(DomainIdSchema),
  credit: NumberSchema,
  held: v.boolean(),
  warned: v.boolean(),
});

/** The record WATCHES. */
export const WatchesSchema: Shape<WatchDump[]> = v.array(
  v.strictObject({
    connection: CountSchema,
    path: PathSchema,
    token: v.string(),
    hidden: CountSchema,
    depth: v.nullable(CountSchema),
  }),
);

const UnreadSchema = v.strictObject({
  sent: CountSchema,
  taken: CountSchema,
  queue: v.array(
    v.strictObject({
      place: CountSchema,
      bytes: CountSchema,
      cause: v.nullable(DomainIdSchema),
      event: v.nullable(v.string()),
    }),
  ),
});

const UnsentSchema = v.strictObject({ bytes: BytesSchema, rest: CountSchema });
const LinkSchema: Shape<Link> = v.variant('kind', [
  v.strictObject({
    kind: v.literal('socket'),
    descriptor: CountSchema,
    received: BytesSchema,
    unsent: UnsentSchema,
  }),
  v.strictObject({
    kind: v.literal('ring'),
    place: PlaceSchema,
    boundPort: CountSchema,
    state: v.strictObject({
      received: BytesSchema,
      unsent: UnsentSchema,
      consumed: CountSchema,
      consumedBefore: CountSchema,
      produced: CountSchema,
      ended: CountSchema,
      fault: v.nullable(v.picklist(['communication', 'indexes', 'protocol'])),
      resetting: v.nullable(v.picklist(['of the guest', 'of an introduction'])),
    }),
  }),
]);

/** The record CONNECTION; its transactions follow as records of their own. */
export const ConnectionSchema: Shape<
  Omit<ConnectionDump, 'transactions'> & { readonly link: Link | null }
> = v.strictObject({
  id: CountSchema,
  domain: DomainIdSchema,
  unread: UnreadSchema,
  link: v.nullable(LinkSchema),
});

const PermissionSchema = v.strictObject({
  domain: DomainIdSchema,
  read: v.boolean(),
  write: v.boolean(),
  stale: v.exactOptional(v.literal(true)),
});
const PermissionsSchema: Shape<Permissions> = v.pipe(
  v.array(PermissionSchema),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const [first, ...rest] = dataset.value;
    if (first !== undefined) return [first, ...rest] as const;
    addIssue({ message: 'there is always a first entry' });
    return NEVER;
  }),
);

/** The record TRANSACTION, before its trees. */
export const TransactionSchema: Shape<
  Omit<TransactionDump, 'base' | 'top'> & { readonly connection: number }
> = v.strictObject({
  connection: CountSchema,
  id: CountSchema,
  startedAt: CountSchema,
  ledger: v.array(
    v.strictObject({ owner: DomainIdSchema, nodes: NumberSchema, bytes: NumberSchema }),
  ),
  reads: v.array(
    v.strictObject({
      path: PathSchema,
      aspect: v.picklist(['value', 'permissions', 'children']),
      generation: v.nullable(CountSchema),
    }),
  ),
  set: v.array(v.string()),
  changes: v.array(
    v.strictObject({
      change: v.variant('kind', [
        v.strictObject({ kind: v.literal('write'), path: PathSchema, value: BytesSchema }),
        v.strictObject({ kind: v.picklist(['mkdir', 'remove']), path: PathSchema }),
        v.strictObject({
          kind: v.literal('permissions'),
          path: PathSchema,
          permissions: PermissionsSchema,
        }),
      ]),
      effective: v.boolean(),
    }),
  ),
  bytes: CountSchema,
  doom: v.nullable(ErrorSchema),
});
