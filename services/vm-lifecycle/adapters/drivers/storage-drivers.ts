import { fail, ok } from '../../../../base/result.ts';
import type { Environment } from '../environment.ts';
import { stoppedWaiting } from '../failures.ts';
import { awaitOperation } from '../operation-end.ts';
import { stepDriver } from './step-driver.ts';
import { stepSchemas } from './step-schemas.ts';

/** The steps that the host's storage service does. */
export function storageDrivers(environment: Environment) {
  const { pool, storage, clock } = environment;
  /** Undoing is not cancelled; it is bounded by the wait for the storage service alone. */
  const never = new AbortController().signal;
  const removeImage = async (vdi: Parameters<typeof storage.remove>[0], signal: AbortSignal) => {
    const operation = await storage.remove(vdi);
    if (!operation.ok) return operation;
    if (operation.value === null) return ok(undefined);
    return awaitOperation({ pool, clock, signal }, operation.value);
  };
  return {
    'vdi.create': stepDriver(stepSchemas['vdi.create'], {
      do: async ({ vdi, name, sr, size }, { signal }) => {
        if (signal.aborted) return fail(stoppedWaiting(`making disk ${name}`));
        const operation = await storage.create({ vdi, name, sr, size });
        if (!operation.ok) return operation;
        const made = await awaitOperation({ pool, clock, signal }, operation.value);
        return made.ok ? ok({}) : made;
      },
      undo: ({ vdi }) => removeImage(vdi, never),
    }),

    'vdi.delete': stepDriver(stepSchemas['vdi.delete'], {
      do: async ({ vdi }, { signal }) => {
        const removed = await removeImage(vdi, signal);
        return removed.ok ? ok({}) : removed;
      },
    }),

    'storage.attach': stepDriver(stepSchemas['storage.attach'], {
      do: async ({ vdi, vm, epoch, readOnly }) => {
        const served = await storage.attach({ vdi, vm, epoch, readOnly });
        return served.ok ? ok({ ...served.value }) : served;
      },
      undo: ({ vdi, vm, epoch }) => storage.detach({ vdi, vm, epoch }),
    }),

    'storage.detach': stepDriver(stepSchemas['storage.detach'], {
      do: async ({ vdi, vm, epoch }) => {
        const detached = await storage.detach({ vdi, vm, epoch });
        return detached.ok ? ok({}) : detached;
      },
    }),
  };
}
