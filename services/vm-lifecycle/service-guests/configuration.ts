import * as v from 'valibot';
import { bounds } from '../../../base/bounds.ts';
import { bytes, milliseconds } from '../../../base/units.ts';
import { BytesSchema, HostIdSchema, NameSchema } from '../../../pool/records/identifiers.ts';
import { guestsSocket } from '../../../pool/supervision/messages.ts';
import { HypervisorSchema } from '../configuration.ts';

/** Keys that may sign images: one in use, one that comes next, and some to spare. */
const trustedKeysMax = 8;

/** A data disk's least and greatest size. ext4 with a journal wants a few MiB. */
const dataSizeMin = bytes(16 * 2 ** 20);
const dataSizeMax = bytes(16 * 2 ** 40);

/**
 * The services that run as guests which this supervisor can build. The xenstore domain is not among
 * them: libxl needs it to build any other, so init-xenstore-domain makes it, once per boot of the host.
 */
const guestServices = ['consensus', 'network', 'storage'] as const;

const absolutePath = v.pipe(
  v.string(),
  v.startsWith('/', 'write an absolute path'),
  v.maxLength(1024),
);

/** Bounds of a patience: less than a second is none, more than a day is no supervision. */
const seconds = (byDefault: number) =>
  v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(86_400)), byDefault);

const PatienceSchema = v.pipe(
  v.strictObject({
    /** From its start until it answers. A guest under emulation takes over a minute to boot. */
    serveSeconds: seconds(300),
    /** How long one that has answered may be silent. */
    hangSeconds: seconds(30),
    /** From the request to shut down until it is destroyed. */
    stopSeconds: seconds(20),
  }),
  v.transform(({ serveSeconds, hangSeconds, stopSeconds }) => ({
    serve: milliseconds(serveSeconds * 1000),
    hang: milliseconds(hangSeconds * 1000),
    stop: milliseconds(stopSeconds * 1000),
  })),
);

const BridgeSchema = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9.-]{0,14}$/, 'write the name of a bridge'),
);

const NicSchema = v.strictObject({
  mac: v.pipe(
    v.string(),
    v.regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/, 'write six octets in lower case'),
  ),
  /** A bridge of this host that is there already. */
  bridge: BridgeSchema,
});

const DataSchema = v.strictObject({
  /** A file of this host; made when it is not there. */
  path: absolutePath,
  size: v.pipe(BytesSchema, v.minValue(dataSizeMin), v.maxValue(dataSizeMax)),
});

const GuestSchema = v.pipe(
  v.strictObject({
    service: v.picklist(guestServices),
    /** PVH wants a processor with virtualisation, PV none. */
    type: v.optional(v.picklist(['pv', 'pvh'], 'write "pv" or "pvh"'), 'pvh'),
    /** What `flotilla image build` wrote and `flotilla image sign` signed. */
    image: absolutePath,
    /** Left out: what the image's manifest says. */
    memory: v.optional(
      v.pipe(BytesSchema, v.minValue(bounds.vmMemoryMin), v.maxValue(bounds.vmMemoryMax)),
    ),
    vcpus: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(bounds.vmVcpus)),
      1,
    ),
    /** Its disk: what it keeps. Null: nothing. */
    data: v.optional(v.nullable(DataSchema), null),
    /** A directory of what this guest alone is given at each start: configuration, keys. */
    seed: v.optional(v.nullable(absolutePath), null),
    nics: v.optional(v.pipe(v.array(NicSchema), v.maxLength(bounds.vmNics)), []),
    /** Its IPv4 address and the length of its network's prefix; left out: it is not asked whether it serves. */
    address: v.optional(
      v.pipe(v.string(), v.regex(/^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/, 'write ADDRESS/LENGTH')),
    ),
    gateway: v.optional(v.pipe(v.string(), v.ipv4('write an IPv4 address'))),
    /** The guest puts its first interface into a bridge of this name; its address is the bridge's then. */
    bridge: v.optional(BridgeSchema),
    patience: v.optional(PatienceSchema, {}),
    /** Whether it backs devices of other domains: the network and storage guests do. */
    driverDomain: v.optional(v.boolean(), false),
  }),
  v.check(
    ({ service, bridge }) => bridge === undefined || service === 'network',
    'only the guest of network has a kernel with bridges; leave "bridge" out',
  ),
  v.check(
    ({ nics, bridge }) => bridge === undefined || nics.length > 0,
    'a guest with a bridge needs an interface to put into it; name one in "nics"',
  ),
);

/** The configuration of `flotilla service-guests`: it names nothing of the pool. */
export const ServiceGuestsSchema = v.strictObject({
  hostId: HostIdSchema,
  hostName: NameSchema,
  hypervisor: HypervisorSchema,
  /** Where this supervisor keeps what it works with, and its log of what it started. */
  dataDir: absolutePath,
  /** Where it is asked. */
  socket: v.optional(absolutePath, guestsSocket),
  /** PEM files of the public keys whose signatures of images count. */
  trustedKeys: v.pipe(v.array(absolutePath), v.minLength(1), v.maxLength(trustedKeysMax)),
  /** In the order in which they are started. */
  guests: v.pipe(
    v.array(GuestSchema),
    v.minLength(1),
    v.check(
      (guests) => new Set(guests.map(({ service }) => service)).size === guests.length,
      'two guests have one service',
    ),
    v.check(
      (guests) => isUnique(guests.flatMap(({ data }) => (data === null ? [] : [data.path]))),
      'two guests have one data disk',
    ),
    v.check(
      (guests) => isUnique(guests.flatMap(({ nics }) => nics.map(({ mac }) => mac))),
      'two interfaces have one MAC address',
    ),
  ),
});
export type ServiceGuestsConfiguration = v.InferOutput<typeof ServiceGuestsSchema>;
export type GuestConfiguration = ServiceGuestsConfiguration['guests'][number];

function isUnique(items: readonly string[]): boolean {
  return new Set(items).size === items.length;
}
