import * as v from 'valibot';
import { bounds } from '../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import {
  EpochSchema,
  NameSchema,
  NetworkIdSchema,
  VmIdSchema,
} from '../../../pool/records/identifiers.ts';
import { checkBridgeName, isBackendInterface, mtuFor } from '../core/names.ts';

const uuidRemedy = 'Give a UUID of 36 characters in lower case.';

/** What the fields of requests accept, each with what to do about a value that does not fit. */
const fields = {
  name: [
    NameSchema,
    `Write 1 to ${bounds.nameLength} characters: a to z, 0 to 9, dots and hyphens inside.`,
  ],
  request_id: [NetworkIdSchema, uuidRemedy],
  network: [NetworkIdSchema, uuidRemedy],
  vm: [VmIdSchema, uuidRemedy],
  epoch: [EpochSchema, "Give the epoch of the VM's newest claim."],
  index: [
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(bounds.vmNics - 1)),
    `Give the interface's position in the VM, from 0 to ${bounds.vmNics - 1}.`,
  ],
  mac: [
    v.pipe(v.string(), v.toLowerCase(), v.regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/)),
    'Write six octets in hexadecimal, separated by colons.',
  ],
} as const;

/** Reads a field of a request; INVALID_FIELD names it and says what it accepts. */
export function field<Name extends keyof typeof fields>(
  name: Name,
  value: string | number,
): Result<v.InferOutput<(typeof fields)[Name][0]>, Failure> {
  const [schema, remedy] = fields[name];
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return ok(parsed.output);
  return fail(invalid(name, value, 'it is not one', remedy));
}

/** The name of a network's bridge. */
export function bridgeField(bridge: string): Result<string, Failure> {
  const checked = checkBridgeName(bridge);
  if (checked.ok) return checked;
  return fail(invalid('bridge', bridge, checked.error, 'Choose a name such as xenbr1.'));
}

/** A network's MTU; 0 is the default. */
export function mtuField(mtu: number): Result<number, Failure> {
  const checked = mtuFor(mtu);
  if (checked.ok) return checked;
  return fail(invalid('mtu', mtu, checked.error, 'Leave it out for 1500.'));
}

/** The backend's interface of the NIC of this index. */
export function interfaceField(name: string, index: number): Result<string, Failure> {
  if (isBackendInterface(name, index)) return ok(name);
  const why = `interface ${index} of a domain is not called so`;
  return fail(invalid('interface', name, why, `Give a name such as vif3.${index}.`));
}

function invalid(name: string, value: string | number, why: string, remedy: string): Failure {
  const shown = JSON.stringify(value).slice(0, 2 * bounds.nameLength);
  const message = `${name} cannot be ${shown}: ${why}`;
  return { reason: 'INVALID_FIELD', message, remedy, field: name };
}
