import * as v from 'valibot';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import { notFound } from '../../../pool/named-collection.ts';
import type { Finish, Finishes, StepDriver, StepDrivers } from '../../../pool/operations/driver.ts';
import type { StepPlan } from '../../../pool/operations/record.ts';
import type { Pool } from '../../../pool/pool.ts';
import { BytesSchema, SrIdSchema, VdiIdSchema } from '../../../pool/records/identifiers.ts';
import type { OperationStep } from '../../../pool/records/operation.ts';
import type { VdiRecord } from '../../../pool/records/storage.ts';
import { writing } from '../../../pool/transaction.ts';
import type { Repositories, Repository } from './repositories.ts';
import { checkUnused } from './users.ts';

/** What every step of a VDI's operations is told. */
const InputSchema = v.object({ vdi: VdiIdSchema, sr: SrIdSchema, virtualSize: BytesSchema });

function plan(name: string, description: string, { id, sr, virtualSize }: VdiRecord): StepPlan {
  return { name, description, input: { vdi: id, sr, virtualSize } };
}

/** The steps that make a VDI whose record is written, as `creating`. */
export function creationSteps(vdi: VdiRecord): readonly StepPlan[] {
  return [plan('vdi.make-image', `make the image of ${vdi.name}`, vdi)];
}

/**
 * The steps that delete a VDI whose record is written, as `deleting`. Whether it is used is checked
 * again after that write: from then on no VM is given it, so the answer holds.
 */
export function deletionSteps(vdi: VdiRecord): readonly StepPlan[] {
  const removal = plan('vdi.remove-image', `delete the image of ${vdi.name}`, vdi);
  return [
    plan('vdi.check-unused', `see that nobody uses ${vdi.name}`, vdi),
    { ...removal, irreversible: true },
  ];
}

/** What does each step, in the SRs of this host. */
export function vdiDrivers(pool: Pool, repositories: Repositories): StepDrivers {
  const nothingToUndo: StepDriver['undo'] = () => Promise.resolve(ok(undefined));
  return {
    'vdi.make-image': {
      do: async (step) => {
        const target = targetOf(repositories, step);
        if (!target.ok) return target;
        const { repository, vdi, virtualSize } = target.value;
        const made = await repository.store.create(vdi, virtualSize);
        return made.ok ? ok({}) : made;
      },
      undo: async (step) => {
        const target = targetOf(repositories, step);
        return target.ok ? target.value.repository.store.remove(target.value.vdi) : target;
      },
    },
    'vdi.check-unused': {
      do: async (step) => {
        const target = targetOf(repositories, step);
        if (!target.ok) return target;
        const stored = await pool.vdis.get(target.value.vdi);
        if (!stored.ok) return stored;
        if (stored.value === null) return fail(notFound('vdi', target.value.vdi));
        const unused = await checkUnused(pool, stored.value.record);
        return unused.ok ? ok({}) : unused;
      },
      undo: nothingToUndo,
    },
    'vdi.remove-image': {
      do: async (step) => {
        const target = targetOf(repositories, step);
        if (!target.ok) return target;
        const removed = await target.value.repository.store.remove(target.value.vdi);
        return removed.ok ? ok({}) : removed;
      },
      undo: nothingToUndo,
    },
  };
}

/** What each operation writes when it ends. */
export function vdiFinishes(pool: Pool): Finishes {
  return {
    'vdi.create': finish(pool, (outcome) => outcome === 'succeeded'),
    'vdi.delete': finish(pool, (outcome) => outcome !== 'succeeded'),
  };
}

/** The VDI stays, and is ready, where `stays` says so; else its record goes. */
function finish(pool: Pool, stays: (outcome: Parameters<Finish>[1]) => boolean): Finish {
  return async ({ resource }, outcome) => {
    const stored = await pool.vdis.get(resource.id);
    if (!stored.ok) return stored;
    if (stored.value === null) return ok(writing());
    const { record } = stored.value;
    return ok(
      stays(outcome)
        ? pool.vdis.replacing(stored.value, { ...record, lifecycle: 'ready', operation: null })
        : pool.vdis.deleting(stored.value),
    );
  };
}

type Target = v.InferOutput<typeof InputSchema> & { readonly repository: Repository };

function targetOf(repositories: Repositories, step: OperationStep): Result<Target, Failure> {
  const input = v.parse(InputSchema, step.input);
  const repository = repositories.get(input.sr);
  return repository === undefined ? fail(notHere(input.sr)) : ok({ ...input, repository });
}

/** The SR is not one of this host's, or not any more. */
function notHere(sr: string): Failure {
  return {
    reason: 'STORAGE',
    message: `the SR ${sr} is not in the configuration of this host's storage service`,
    remedy: "Put it back into the configuration's srs, and restart the service.",
    resource: { type: 'sr', name: sr },
  };
}
