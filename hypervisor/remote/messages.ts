import * as v from 'valibot';
import { bounds } from '../../base/bounds.ts';
import type { Bytes, Milliseconds } from '../../base/units.ts';
import type { DomainId, DomainUuid, HypervisorErrorCode } from '../port.ts';

/**
 * The port as messages: what a service and the process that holds its hypervisor say to each
 * other. Both sides check what they read. A call is answered by the reply of the same number.
 */

/** Calls that one connection may have waiting: every VM of a full host. */
export const callsInFlightMax: number = bounds.vmsPerHost;

/** Most bytes of a console in one message. */
export const consoleChunkMax = 16 * 2 ** 10;

/** The last number before DOMID_FIRST_RESERVED of xen/include/public/xen.h. */
const domainIdMax = 0x7fef;
const pathMax = 4096;
const detailMax = 4096;
const nat = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const bytesOf = v.pipe(
  nat,
  v.transform((value) => value as Bytes),
);
const span = v.pipe(
  nat,
  v.transform((value) => value as Milliseconds),
);
const text = (length: number) => v.pipe(v.string(), v.maxLength(length));
const domainId = v.pipe(
  nat,
  v.transform((value) => value as DomainId),
);
const domainUuid = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'a UUID in lower case'),
  v.transform((value) => value as DomainUuid),
);
const shutdownReason = v.picklist(['poweroff', 'reboot', 'suspend', 'crash', 'watchdog']);
const domainState = v.variant('kind', [
  v.object({ kind: v.literal('running') }),
  v.object({ kind: v.literal('paused') }),
  v.object({ kind: v.literal('shutdown'), reason: shutdownReason }),
  v.object({ kind: v.literal('dying') }),
]);
const domain = v.object({
  id: domainId,
  uuid: domainUuid,
  name: v.string(),
  state: domainState,
  memory: bytesOf,
  vcpus: nat,
  processor: v.nullable(v.object({ had: span, waits: v.boolean() })),
});
const disk = v.object({
  vdev: v.pipe(v.string(), v.regex(/^xvd[a-p]$/, 'xvda to xvdp')),
  path: text(pathMax),
  readOnly: v.boolean(),
  backend: domainId,
  device: v.nullable(
    v.pipe(v.string(), v.regex(/^\d{1,4}:\d{1,7}$/, 'a device number, such as 7:3')),
  ),
});
const nic = v.object({
  index: v.pipe(nat, v.maxValue(bounds.vmNics - 1)),
  mac: v.pipe(v.string(), v.regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, 'a MAC in lower case')),
  bridge: text(bounds.nameLength),
  backend: domainId,
});
const config = v.object({
  id: v.exactOptional(
    v.pipe(
      nat,
      v.maxValue(domainIdMax),
      v.transform((value) => value as DomainId),
    ),
  ),
  uuid: domainUuid,
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(bounds.nameLength)),
  type: v.picklist(['pv', 'pvh']),
  memory: v.pipe(bytesOf, v.maxValue(bounds.vmMemoryMax)),
  vcpus: v.pipe(nat, v.minValue(1), v.maxValue(bounds.vmVcpus)),
  kernel: text(pathMax),
  ramdisk: v.nullable(text(pathMax)),
  commandLine: text(bounds.kernelCommandLine),
  disks: v.pipe(v.array(disk), v.maxLength(bounds.vmDisks), v.readonly()),
  nics: v.pipe(v.array(nic), v.maxLength(bounds.vmNics), v.readonly()),
  driverDomain: v.exactOptional(v.boolean()),
});
const info = v.object({
  kind: v.picklist(['xen', 'simulated']),
  version: v.string(),
  cpus: nat,
  memoryTotal: bytesOf,
  memoryFree: bytesOf,
});
const effectKinds = ['guest-ignores-shutdown', 'guest-crashes', 'console-breaks'] as const;
const callKind = v.picklist([
  'info',
  'listDomains',
  'createDomain',
  'connectDisk',
  'nicInterface',
  'connectNic',
  'unservedDevices',
  'unpause',
  'pause',
  'requestShutdown',
  'destroyDomain',
  'openConsole',
]);
const errorCodes = [
  'domain-not-found',
  'domain-exists',
  'out-of-memory',
  'boot-file-missing',
  'boot-file-invalid',
  'device-unavailable',
  'unsupported',
  'hypervisor-unavailable',
  'hypervisor-failed',
] as const satisfies readonly HypervisorErrorCode[];
const errorCode = v.picklist(errorCodes);
const fault = v.object({
  effect: v.variant('kind', [
    v.object({ kind: v.literal('call-fails'), call: callKind, code: errorCode }),
    v.object({ kind: v.literal('call-hangs'), call: callKind }),
    v.object({ kind: v.picklist(effectKinds) }),
  ]),
  uuid: v.nullable(domainUuid),
  times: v.pipe(nat, v.minValue(1)),
});
const unserved = v.object({ disks: v.array(v.string()), nics: v.array(nat) });
const devices = v.object({ disks: v.array(disk), nics: v.array(nat) });

const nothing = v.pipe(
  v.optional(v.null()),
  v.transform(() => undefined),
);
const onDomain = v.strictTuple([domainId]);
const onNic = v.strictTuple([domainId, nat]);

/**
 * Every call: its arguments in the port's order, and its value. The number of an `openConsole` call
 * becomes the number of the console; the last two calls are for the simulated hypervisor alone.
 */
export const calls = {
  info: { params: v.strictTuple([]), value: info },
  listDomains: { params: v.strictTuple([]), value: v.array(domain) },
  createDomain: { params: v.strictTuple([config]), value: domainId },
  connectDisk: { params: v.strictTuple([domainId, disk]), value: nothing },
  nicInterface: { params: onNic, value: v.string() },
  connectNic: { params: onNic, value: nothing },
  unservedDevices: { params: onDomain, value: unserved },
  unpause: { params: onDomain, value: nothing },
  pause: { params: onDomain, value: nothing },
  requestShutdown: {
    params: v.strictTuple([domainId, v.picklist(['poweroff', 'reboot'])]),
    value: nothing,
  },
  destroyDomain: { params: onDomain, value: nothing },
  openConsole: { params: onDomain, value: nothing },
  inject: { params: v.strictTuple([fault]), value: nothing },
  connectedDevices: { params: onDomain, value: devices },
} as const;

/** The name of a call. */
export type CallName = keyof typeof calls;

/** The arguments of a call. */
export type CallParams<Name extends CallName> = v.InferOutput<(typeof calls)[Name]['params']>;

/** The value of a call that succeeded. */
export type CallValue<Name extends CallName> = v.InferOutput<(typeof calls)[Name]['value']>;

const callNames = v.picklist(Object.keys(calls) as CallName[]);

/** What the service says. Console data is in base64, for it need not be text. */
export const requestSchema = v.variant('kind', [
  v.object({ kind: v.literal('call'), call: nat, name: callNames, params: v.array(v.unknown()) }),
  v.object({ kind: v.literal('watch') }),
  v.object({ kind: v.literal('type'), console: nat, data: v.pipe(v.string(), v.base64()) }),
  v.object({ kind: v.literal('close-console'), console: nat }),
]);

/** What the process that holds the hypervisor says. */
export const responseSchema = v.variant('kind', [
  v.object({ kind: v.literal('value'), call: nat, value: v.unknown() }),
  v.object({
    kind: v.literal('error'),
    call: nat,
    error: v.object({ code: errorCode, detail: text(detailMax) }),
  }),
  v.object({ kind: v.literal('changed'), id: domainId }),
  v.object({ kind: v.literal('printed'), console: nat, data: v.pipe(v.string(), v.base64()) }),
  v.object({ kind: v.literal('console-ended'), console: nat }),
]);

/** See `requestSchema`. */
export type Request = v.InferInput<typeof requestSchema>;

/** See `responseSchema`. */
export type Response = v.InferInput<typeof responseSchema>;

/** Cuts an error's detail to what a message may carry. */
export function clipDetail(detail: string): string {
  return detail.length <= detailMax ? detail : `${detail.slice(0, detailMax - 3)}...`;
}
