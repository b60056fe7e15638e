import { access } from 'node:fs/promises';
import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import { XenstoreClient } from './client.ts';
import type { ClientFailure } from './failure.ts';
import { firstOf, type Transport } from './link.ts';
import { characterDevice, devicePaths } from './transports/device.ts';

/** The control domain's number, and what stands for it where there is no Xen. */
const controlDomain = 0;

/** `DOMID_FIRST_RESERVED` of xen/include/public/xen.h: numbers from it on are no domain's. */
const firstReserved = 0x7ff0;

/**
 * A service that starts with its host may be there long before the host's xenstored is: it has nothing
 * better to do than to wait.
 */
const patience = milliseconds(180_000);

/**
 * The number of the domain that this process runs in: the value of `domid`, which the toolstack wrote
 * into the domain's own directory, where paths without a leading slash begin. Where the kernel has no
 * xenstore there is no Xen, and it is 0.
 */
export async function ownDomain(transport?: Transport): Promise<Result<number, ClientFailure>> {
  const way = transport ?? (await kernelDevice());
  if (way === null) return ok(controlDomain);
  const client = await XenstoreClient.open(way, { timeout: patience });
  if (!client.ok) return client;
  const read = await client.value.readText('domid');
  client.value.close();
  if (!read.ok) return read;
  const domain = /^\d{1,5}$/.test(read.value) ? Number(read.value) : firstReserved;
  if (domain < firstReserved) return ok(domain);
  return fail({ code: 'PROTOCOL', message: `domid: "${read.value}" is no domain's number` });
}

/** The kernel's way to xenstore, or null where it has none. */
async function kernelDevice(): Promise<Transport | null> {
  const found: string[] = [];
  for (const path of devicePaths)
    await access(path).then(
      () => found.push(path),
      () => undefined,
    );
  return found.length === 0 ? null : firstOf(...found.map((path) => characterDevice(path)));
}
