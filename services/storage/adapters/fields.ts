import * as v from 'valibot';
import { bounds } from '../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import {
  type Epoch,
  EpochSchema,
  NameSchema,
  type VdiId,
  VdiIdSchema,
  type VmId,
  VmIdSchema,
} from '../../../pool/records/identifiers.ts';

/** A name that is given to a VDI. */
export function nameField(name: string): Result<string, Failure> {
  return checked(
    NameSchema,
    'name',
    name,
    `Write 1 to ${bounds.nameLength} characters: a to z, 0 to 9, dots and hyphens inside.`,
  );
}

/** The id of a VDI. */
export function vdiIdField(field: 'vdi' | 'request_id', id: string): Result<VdiId, Failure> {
  return checked(VdiIdSchema, field, id, uuidRemedy);
}

/** The id of a VM. */
export function vmIdField(id: string): Result<VmId, Failure> {
  return checked(VmIdSchema, 'vm', id, uuidRemedy);
}

/** The epoch of a claim. */
export function epochField(epoch: number): Result<Epoch, Failure> {
  return checked(EpochSchema, 'epoch', epoch, "Give the epoch of the VM's newest claim.");
}

const uuidRemedy = 'Give a UUID of 36 characters in lower case.';

function checked<Value>(
  schema: v.GenericSchema<unknown, Value>,
  field: string,
  value: string | number,
  remedy: string,
): Result<Value, Failure> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return ok(parsed.output);
  const shown = JSON.stringify(value).slice(0, 2 * bounds.nameLength);
  return fail({
    reason: 'INVALID_FIELD',
    message: `${field} cannot be ${shown}`,
    remedy,
    field,
  });
}
