import { ok, type Result } from '../../base/result.ts';
import type { DomainId, HypervisorError } from '../port.ts';
import type { Store } from './store.ts';

/**
 * A device's nodes in xenstore. libxl 4.17 writes three directories (libxl__device_generic_add): the
 * frontend's below /local/domain/GUEST/device, the backend's below /local/domain/BACKEND/backend,
 * and below /libxl/GUEST/device a copy of the backend's as it was at first, which neither of both
 * can write.
 */

/** What is done to xenstore here; tests bring their own. */
export type DeviceStore = Pick<Store, 'read' | 'write' | 'list' | 'remove' | 'make' | 'share'>;

/** One device of a guest. */
export interface Device {
  readonly guest: DomainId;
  readonly kind: 'vbd' | 'vif';
  /** As xenbus numbers it: 51712 is xvda, 0 is the first NIC. */
  readonly number: number;
}

/** Where a device's backend has its entries. */
export interface Backend {
  readonly domain: DomainId;
  readonly path: string;
}

type Outcome = Result<void, HypervisorError>;

/** `XenbusStateInitialising` and `XenbusStateClosed` of xen/include/public/io/xenbus.h. */
const initialising = '1';
const closed = '6';

/**
 * What a driver domain writes beside a disk's entries once it has let go of the disk with nothing of
 * the guest's unfinished; we keep it beside libxl's copy when the driver domain ends.
 */
const drainedMark = 'drained';
const drained = '1';

/** Most names that we look at in a directory that a guest can write: an honest one has fewer. */
const guestNamesMax = 64;

/** The backend with which libxl built a device; null where the guest was built without the device. */
export async function backendOf(
  store: DeviceStore,
  device: Device,
): Promise<Result<Backend | null, HypervisorError>> {
  const found = await store.read(`${recordOf(device)}/backend`);
  if (!found.ok || found.value === null) return found.ok ? ok(null) : found;
  const match = /^\/local\/domain\/(\d{1,5})\/backend\//.exec(found.value);
  return ok(match === null ? null : { domain: Number(match[1]) as DomainId, path: found.value });
}

/**
 * Writes a backend's entries anew, from libxl's copy, where they went with the driver domain that
 * had them; leaves them alone where they are. `state` comes last: from then on they are whole, and
 * the backend's kernel takes the device. False: it must not, for it is a disk whose driver domain
 * was not drained. blkback answers requests in any order, so a ring that it left in the middle holds
 * requests that were answered, whose pages the guest uses for something else by now: a new backend
 * would write that to the disk.
 */
export async function restoreEntries(
  store: DeviceStore,
  device: Device,
  { domain, path }: Backend,
): Promise<Result<boolean, HypervisorError>> {
  const state = await store.read(`${path}/state`);
  if (!state.ok || state.value !== null) return state.ok ? ok(true) : state;
  const mark = `${recordOf(device)}/${drainedMark}`;
  if (device.kind === 'vbd') {
    const marked = await store.read(mark);
    if (!marked.ok || marked.value !== drained) return marked.ok ? ok(false) : marked;
  }
  const shared = await shareFrontend(store, device, domain);
  if (!shared.ok) return shared;
  const made = await store.make(path);
  if (!made.ok) return made;
  const owned = await store.share(path, domain, device.guest);
  if (!owned.ok) return owned;
  const names = await store.list(recordOf(device));
  if (!names.ok) return names;
  for (const name of names.value) {
    if (name === 'backend' || name === 'state' || name === drainedMark) continue;
    const value = await store.read(`${recordOf(device)}/${name}`);
    if (!value.ok) return value;
    const written = await store.write(`${path}/${name}`, value.value ?? '');
    if (!written.ok) return written;
  }
  // From here on the guest's requests are under way again. Cut off in between, the disk is refused.
  const unmarked = await store.remove(mark);
  if (!unmarked.ok) return unmarked;
  const begun = await store.write(`${path}/state`, initialising);
  return begun.ok ? ok(true) : begun;
}

/**
 * Before a domain ends: keeps what it says of disks that it let go of. Of what it writes only that
 * counts which is about a disk that it serves by libxl's own record.
 */
export async function keepDrainedMarks(store: DeviceStore, driver: DomainId): Promise<Outcome> {
  const root = `/local/domain/${driver}/backend/vbd`;
  const guests = await store.list(root);
  if (!guests.ok) return guests;
  for (const guest of guests.value.filter(isNumber)) {
    const disks = await store.list(`${root}/${guest}`);
    if (!disks.ok) return disks;
    for (const disk of disks.value.filter(isNumber).slice(0, guestNamesMax)) {
      const path = `${root}/${guest}/${disk}`;
      const device = {
        guest: Number(guest) as DomainId,
        kind: 'vbd',
        number: Number(disk),
      } as const;
      const mark = await store.read(`${path}/${drainedMark}`);
      if (!mark.ok) return mark;
      if (mark.value !== drained) continue;
      const backend = await backendOf(store, device);
      if (!backend.ok) return backend;
      if (backend.value?.path !== path) continue;
      const kept = await store.write(`${recordOf(device)}/${drainedMark}`, drained);
      if (!kept.ok) return kept;
    }
  }
  return ok(undefined);
}

function isNumber(name: string): boolean {
  return /^\d{1,9}$/.test(name);
}

/**
 * Lets a driver domain read the frontend's entries. A xenstored takes a domain's rights away when
 * the domain ends (XSA-322), also from the next domain of its number.
 */
async function shareFrontend(
  store: DeviceStore,
  { guest, kind, number }: Device,
  backend: DomainId,
): Promise<Outcome> {
  const root = `/local/domain/${guest}/device/${kind}/${number}`;
  const paths = [root];
  // The rings of a device with several queues are one level further down.
  for (const directory of [root, ...(await queuesIn(store, root))]) {
    const names = await store.list(directory);
    if (!names.ok) return names;
    paths.push(...names.value.slice(0, guestNamesMax).map((name) => `${directory}/${name}`));
  }
  for (const path of paths) {
    // The one node of a frontend that libxl gives to the backend, so that the guest cannot write it.
    const isReadOnly = path === `${root}/mtu`;
    const [owner, reader] = isReadOnly ? [backend, guest] : [guest, backend];
    const shared = await store.share(path, owner, reader);
    if (!shared.ok) return shared;
  }
  return ok(undefined);
}

async function queuesIn(store: DeviceStore, root: string): Promise<string[]> {
  const names = await store.list(root);
  if (!names.ok) return [];
  return names.value
    .filter((name) => /^queue-\d{1,2}$/.test(name))
    .slice(0, guestNamesMax)
    .map((name) => `${root}/${name}`);
}

/** A guest's disks and NICs, each with its backend. */
export async function devicesOf(
  store: DeviceStore,
  guest: DomainId,
): Promise<Result<readonly (Device & { readonly backend: Backend })[], HypervisorError>> {
  const devices: (Device & { readonly backend: Backend })[] = [];
  for (const kind of ['vbd', 'vif'] as const) {
    const names = await store.list(`/libxl/${guest}/device/${kind}`);
    if (!names.ok) return names;
    for (const name of names.value) {
      const device = { guest, kind, number: Number(name) };
      const backend = await backendOf(store, device);
      if (!backend.ok) return backend;
      if (backend.value !== null) devices.push({ ...device, backend: backend.value });
    }
  }
  return ok(devices);
}

/** Removes those entries that their backend has let go of; returns the others. */
export async function removeClosed(
  store: DeviceStore,
  paths: readonly string[],
): Promise<readonly string[]> {
  const left: string[] = [];
  for (const path of paths) {
    const state = await store.read(`${path}/state`);
    const isGone = state.ok && state.value === closed && (await store.remove(path)).ok;
    if (!isGone) left.push(path);
  }
  return left;
}

/** What libxl wrote down of a device, where no guest can write. */
function recordOf({ guest, kind, number }: Device): string {
  return `/libxl/${guest}/device/${kind}/${number}`;
}
