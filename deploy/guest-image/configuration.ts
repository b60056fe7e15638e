import { readFile } from 'node:fs/promises';
import { normalize } from 'node:path';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { bytes } from '../../base/units.ts';
import { HostBootSchema } from '../../cli/boot/configuration.ts';
import { readSettings } from '../../consensus/settings.ts';
import { checkListening } from '../../pool/images/listening.ts';
import { NetworkConfigurationSchema } from '../../services/network/configuration.ts';
import { StorageConfigurationSchema } from '../../services/storage/configuration.ts';
import { ConfigurationSchema as XenstoreSchema } from '../../services/xenstore/configuration.ts';
import { BuildFailure } from '../image/command.ts';
import { type GuestServiceName, guestServices } from './services.ts';

/** A file is read no further than this; the services read no more either. */
const sizeMax = 2 ** 20;

/** The quota that a member of the database would have by default; it decides nothing here. */
const anyQuota = bytes(2 ** 30);

/** What a private key looks like, in PEM (RFC 7468) or as a JSON Web Key (RFC 7517). */
const keyMaterial = /-----BEGIN [A-Z ]*PRIVATE KEY-----|"d"\s*:/;

/** Where a guest has what it is given when it starts: its seed, its data disk, and its memory. */
const places = ['/seed/', '/data/', '/run/'];

/**
 * Reads the configuration that is to be linked into an image of a service: checked by the service's own
 * schema, and free of secrets, since an image is copied, published and kept. Returns the bytes that are
 * linked, in one form for one content. What is wrong is a `BuildFailure` that says what to write.
 */
export async function linkedConfiguration(
  service: GuestServiceName,
  file: string,
): Promise<Uint8Array> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new BuildFailure(`${file} cannot be read: ${String(error)}; name a file of JSON`);
  });
  if (text.length > sizeMax) throw new BuildFailure(`${file} is larger than 1 MiB`);
  const configuration = checkConfiguration(service, text);
  if (!configuration.ok) throw new BuildFailure(`${file}: ${configuration.error}`);
  return configuration.value;
}

/** The same for a text; the failure is a sentence. */
export function checkConfiguration(
  service: GuestServiceName,
  text: string,
): Result<Uint8Array, string> {
  const parsed = v.safeParse(
    v.pipe(
      v.string(),
      v.parseJson(),
      v.check((json) => !Array.isArray(json)),
      v.record(v.string(), v.unknown()),
    ),
    text,
  );
  if (!parsed.success) return fail('it does not hold a JSON object; write { "name": ... } into it');
  if (keyMaterial.test(text))
    return fail(
      'it holds a private key, and images have no secrets; leave it out: it comes by the seed, or by the data disk',
    );
  for (const path of secretPaths(parsed.output))
    if (!places.some((place) => normalize(path.value).startsWith(place)))
      return fail(
        `${path.field}: ${path.value} would be a file of the image, and images have no secrets; write a path in ${places.join(' or ')}, where the guest gets it`,
      );
  const checked = checks[service](parsed.output);
  if (!checked.ok) return checked;
  // Where the control domain's services listen is for the seed of its host to say.
  if (service !== 'vm-lifecycle') {
    const listening = checkListening(parsed.output, { ports: [...guestServices[service].ports] });
    if (!listening.ok) return listening;
  }
  return ok(Buffer.from(`${JSON.stringify(parsed.output, null, 2)}\n`));
}

type Check = (fields: Readonly<Record<string, unknown>>) => Result<void, string>;

/** What each service itself says to a configuration. */
const checks: Readonly<Record<GuestServiceName, Check>> = {
  xenstore: bySchema(XenstoreSchema),
  network: bySchema(NetworkConfigurationSchema),
  storage: bySchema(StorageConfigurationSchema),
  'vm-lifecycle': bySchema(HostBootSchema),
  consensus: (fields) => {
    const settings = readSettings(fields, 'the member', anyQuota);
    return settings.ok ? ok(undefined) : settings;
  },
};

function bySchema(schema: v.GenericSchema<unknown, unknown>): Check {
  return (fields) => {
    const parsed = v.safeParse(schema, fields);
    if (parsed.success) return ok(undefined);
    const [issue] = parsed.issues;
    return fail(`${v.getDotPath(issue) ?? 'the object'}: ${issue.message}`);
  };
}

/** Fields that name files with keys or certificates. */
function secretPaths(fields: Readonly<Record<string, unknown>>) {
  const found: { readonly field: string; readonly value: string }[] = [];
  for (const name of ['tls', 'storeTls']) {
    const files = v.safeParse(v.record(v.string(), v.string()), fields[name]);
    if (!files.success) continue;
    for (const [field, value] of Object.entries(files.output))
      found.push({ field: `${name}.${field}`, value });
  }
  return found;
}
