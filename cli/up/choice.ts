import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { AddressSchema } from '../../pool/configuration.ts';
import { StoreTlsSchema } from '../../pool/etcd/tls-files.ts';
import type { HostId } from '../../pool/records/identifiers.ts';
import { HostIdSchema, NameSchema } from '../../pool/records/identifiers.ts';
import { guestServices, guestTypes, type HostChoice, type PoolChoice } from './pool-choice.ts';
import { chooseHostPorts } from './ports.ts';

/** The file in a pool's directory that holds what was chosen when the pool was made. */
const fileName = 'choice.json';

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));

/** ADDRESS/LENGTH of IPv4. */
export const GuestAddressSchema = v.pipe(
  v.string(),
  v.regex(/^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/, 'write ADDRESS/LENGTH, such as 10.0.0.21/24'),
  v.check((text) => {
    const [address = '', length = ''] = text.split('/');
    return v.is(v.pipe(v.string(), v.ipv4()), address) && Number(length) <= 32;
  }, 'write ADDRESS/LENGTH, such as 10.0.0.21/24'),
);

/** A pool's choice, as its file and the seeds of its hosts hold it. */
export const PoolChoiceSchema = v.object({
  id: v.pipe(v.string(), v.uuid()),
  name: NameSchema,
  hypervisor: v.picklist(['xen', 'simulated']),
  hosts: v.pipe(
    v.array(
      v.object({
        id: HostIdSchema,
        name: NameSchema,
        address: v.pipe(v.string(), v.ip()),
        ports: v.object({
          'vm-lifecycle': port,
          storage: port,
          network: port,
          xenstore: port,
          consensus: port,
          peer: port,
        }),
      }),
    ),
    v.minLength(1),
    v.maxLength(bounds.hosts),
  ),
  store: v.optional(
    v.object({
      endpoints: v.pipe(v.array(AddressSchema), v.minLength(1)),
      tls: v.nullable(StoreTlsSchema),
    }),
  ),
  guests: v.optional(
    v.object({
      images: v.pipe(v.string(), v.startsWith('/')),
      trustedKey: v.optional(v.pipe(v.string(), v.startsWith('/'))),
      type: v.optional(v.picklist(guestTypes)),
      guests: v.array(
        v.object({ service: v.picklist(guestServices), address: GuestAddressSchema }),
      ),
    }),
  ),
  databaseBegan: v.optional(v.boolean()),
});

/** The file has a format. */
const ChoiceFileSchema = v.object({ version: v.literal(1), ...PoolChoiceSchema.entries });

/** Chooses a new pool on this machine: ids, names, ports of the loopback address. */
export async function choosePool(
  name: string,
  hosts: number,
  hypervisor: 'xen' | 'simulated',
  { store, guests }: Pick<PoolChoice, 'store' | 'guests'>,
): Promise<PoolChoice> {
  const address = '127.0.0.1';
  const ports = await chooseHostPorts(address, hosts);
  const chosen = ports.map(
    (own, index): HostChoice => ({
      id: randomUUID() as HostId,
      name: `host-${index + 1}`,
      address,
      ports: own,
    }),
  );
  return {
    id: randomUUID(),
    name,
    hypervisor,
    hosts: chosen,
    ...(store === undefined ? {} : { store }),
    ...(guests === undefined ? {} : { guests }),
  };
}

/** Writes a file so that after a crash it is the old one or the new one, never a half. */
export function writeDurably(path: string, text: string): void {
  const aside = `${path}.new`;
  const file = openSync(aside, 'w', 0o600);
  writeSync(file, text);
  fsyncSync(file);
  closeSync(file);
  renameSync(aside, path);
  const folder = openSync(dirname(path), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** Keeps the choice in the pool's directory. */
export function saveChoice(directory: string, choice: PoolChoice): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeDurably(
    join(directory, fileName),
    `${JSON.stringify({ version: 1, ...choice }, null, 2)}\n`,
  );
}

/** The choice that a pool's directory holds; null where no pool was made there. */
export function readChoice(directory: string): Result<PoolChoice | null, string> {
  const path = join(directory, fileName);
  if (!existsSync(path)) return ok(null);
  const remedy = 'put the file back from a copy, or start a new pool in another directory (--dir)';
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return fail(`${path} cannot be read: ${String(error)}; ${remedy}`);
  }
  const parsed = v.safeParse(ChoiceFileSchema, content);
  if (parsed.success) return ok(parsed.output);
  const issue = parsed.issues[0];
  return fail(`${path}: ${v.getDotPath(issue) ?? 'file'}: ${issue.message}; ${remedy}`);
}
