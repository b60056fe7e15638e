import type { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import type { Milliseconds } from '../../base/units.ts';
import { type ChangeFlags, change } from '../change.ts';
import { asksFirst, changesSomething, duration, takesTime, verb } from '../command.ts';
import type { Context } from '../context.ts';
import type { Problem } from '../problem.ts';
import { confirm } from '../prompt.ts';
import { type Session, withPool } from '../session.ts';
import { getVm, sentenceOf } from './get.ts';

function changing(context: Context, usage: string, summary: string): Command {
  return takesTime(changesSomething(verb(context, 'vm', usage, summary)));
}

/** `flotilla vm start`. */
export function startCommand(context: Context): Command {
  return changing(context, 'start <vm>', 'Start a VM')
    .option('--host <host>', 'the host to start it on (default: the pool chooses)')
    .action((vm: string, flags: ChangeFlags & { readonly host?: string }) =>
      withPool(context, flags, (session) =>
        change(
          session,
          flags,
          (to, fields, settings) =>
            to.vm.startVm({ vm, host: flags.host ?? '', ...fields }, settings),
          {
            would: `start ${vm}${flags.host === undefined ? '' : ` on ${flags.host}`}`,
            done: () => sentenceOf(session, vm, `${vm} was started`),
          },
        ),
      ),
    );
}

interface AskingFlags extends ChangeFlags {
  readonly guestTimeout?: Milliseconds;
}

/** Adds `--guest-timeout`: how long the guest may take, where `--timeout` is how long we wait. */
function asksGuest(command: Command): Command {
  return command.option(
    '--guest-timeout <duration>',
    'what the guest has to stop, after which the operation fails and it runs on (default: 60s)',
    duration,
  );
}

function timeoutSeconds(flags: AskingFlags): number {
  return flags.guestTimeout === undefined ? 0 : Math.max(1, Math.ceil(flags.guestTimeout / 1000));
}

/** `flotilla vm shutdown`. */
export function shutdownCommand(context: Context): Command {
  return asksGuest(
    changing(context, 'shutdown <vm>', 'Ask the guest to stop, and wait until it has'),
  ).action((vm: string, flags: AskingFlags) =>
    withPool(context, flags, (session) =>
      change(
        session,
        flags,
        (to, fields, settings) =>
          to.vm.shutdownVm({ vm, timeoutSeconds: timeoutSeconds(flags), ...fields }, settings),
        {
          would: `ask ${vm} to shut down`,
          done: () => sentenceOf(session, vm, `${vm} was shut down`),
        },
      ),
    ),
  );
}

/** `flotilla vm reboot`. */
export function rebootCommand(context: Context): Command {
  return asksGuest(
    changing(context, 'reboot <vm>', 'Ask the guest to stop, and start it again on its host'),
  ).action((vm: string, flags: AskingFlags) =>
    withPool(context, flags, (session) =>
      change(
        session,
        flags,
        (to, fields, settings) =>
          to.vm.rebootVm({ vm, timeoutSeconds: timeoutSeconds(flags), ...fields }, settings),
        {
          would: `reboot ${vm}`,
          done: () => sentenceOf(session, vm, `${vm} was rebooted`),
        },
      ),
    ),
  );
}

interface LosingFlags extends ChangeFlags {
  readonly yes?: boolean;
}

/** `flotilla vm destroy`. */
export function destroyCommand(context: Context): Command {
  return asksFirst(
    changing(context, 'destroy <vm>', 'Stop a VM at once, as if its power were cut; it is kept'),
  ).action((vm: string, flags: LosingFlags) =>
    withPool(context, flags, async (session) => {
      const agreed = await agree(
        session,
        vm,
        flags,
        (name) => `Cut the power of ${name}? What its guest has not written to disk is lost.`,
      );
      if (!agreed.ok) return agreed;
      return change(
        session,
        flags,
        (to, fields, settings) => to.vm.destroyVm({ vm, ...fields }, settings),
        {
          would: `cut the power of ${vm}`,
          done: () => sentenceOf(session, vm, `${vm} was stopped`),
        },
      );
    }),
  );
}

/** `flotilla vm delete`. */
export function deleteCommand(context: Context): Command {
  return asksFirst(
    changing(context, 'delete <vm>', 'Delete a halted VM, and the disks that were made with it'),
  ).action((vm: string, flags: LosingFlags) =>
    withPool(context, flags, async (session) => {
      const agreed = await agree(session, vm, flags, (name, disks) =>
        disks === 0
          ? `Delete ${name}?`
          : `Delete ${name}, and with it ${disks === 1 ? 'its disk' : `its ${disks} disks`}?`,
      );
      if (!agreed.ok) return agreed;
      return change(
        session,
        flags,
        (to, fields, settings) => to.vm.deleteVm({ vm, ...fields }, settings),
        { would: `delete ${vm}`, done: () => `${vm} is deleted` },
      );
    }),
  );
}

/** Asks before something is lost; a dry run loses nothing, and a VM that does not exist needs no question. */
async function agree(
  session: Session,
  named: string,
  flags: LosingFlags,
  question: (name: string, ownedDisks: number) => string,
): Promise<Result<void, Problem>> {
  if (flags.yes === true || flags.dryRun === true) return ok(undefined);
  const vm = await getVm(session, named);
  if (!vm.ok) return vm;
  const owned = vm.value.disks.filter((disk) => disk.owned).length;
  return confirm(session.context, question(vm.value.name, owned));
}
