import * as v from 'valibot';
import { type CommandFailure, runCommand } from '../../../../base/command.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { Failure } from '../../../../pool/failure.ts';

/** ip talks to the kernel alone; what takes longer hangs. */
const timeout = milliseconds(15_000);

/** What we look at of an interface, as `ip -json -details link show` prints it (iproute2). */
const LinkSchema = v.object({
  ifname: v.string(),
  mtu: v.number(),
  flags: v.array(v.string()),
  master: v.optional(v.string()),
  linkinfo: v.optional(v.object({ info_kind: v.optional(v.string()) })),
});
export type Link = v.InferOutput<typeof LinkSchema>;

/** Where a filter leaves an interface out, `ip -json` prints an empty object for it. */
const ShownSchema = v.array(v.union([LinkSchema, v.strictObject({})]));

/** Runs iproute2's `ip`, in a network namespace by name or in the process's own. */
export interface Ip {
  /** Changes something. Null: an interface that the arguments name is not there. */
  run(args: readonly string[]): Promise<Result<'done' | null, Failure>>;
  /** Shows interfaces. Null: the one that the arguments name is not there. */
  show(args: readonly string[]): Promise<Result<readonly Link[] | null, Failure>>;
}

/** `ip` of a network namespace; null is the process's own. */
export function ipIn(namespace: string | null): Ip {
  const within = namespace === null ? [] : ['-netns', namespace];
  const run = async (args: readonly string[]): Promise<Result<string | null, Failure>> => {
    const done = await runCommand('ip', [...within, ...args], timeout);
    if (done.ok) return done;
    return isMissingInterface(done.error) ? ok(null) : fail(refused(done.error));
  };
  return {
    run: async (args) => {
      const done = await run(args);
      return done.ok ? ok(done.value === null ? null : 'done') : done;
    },
    show: async (args) => {
      const shown = await run(['-json', '-details', 'link', 'show', ...args]);
      if (!shown.ok) return shown;
      if (shown.value === null) return ok(null);
      const text = shown.value.trim() === '' ? '[]' : shown.value;
      const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), ShownSchema), text);
      if (!parsed.success) return fail(unreadable);
      return ok(parsed.output.filter((item) => 'ifname' in item));
    },
  };
}

function isMissingInterface({ kind, detail }: CommandFailure): boolean {
  return kind === 'refused' && /^(Device ".*" does not exist|Cannot find device)/.test(detail);
}

function refused({ kind, command, detail }: CommandFailure): Failure {
  switch (kind) {
    case 'missing':
      return {
        reason: 'NETWORK',
        message: 'ip is not installed, so no bridge can be set up',
        remedy: 'Install iproute2, or set driver to "simulated" where domains are simulated.',
      };
    case 'slow':
      return {
        reason: 'NETWORK',
        message: `${command} did not end within ${timeout / 1000} s`,
        remedy: "See the kernel's log for what holds up its network.",
      };
    case 'refused':
      return {
        reason: 'NETWORK',
        message: `${command} failed: ${detail}`,
        remedy: 'Run network as root, and load the kernel module bridge.',
      };
  }
}

const unreadable: Failure = {
  reason: 'NETWORK',
  message: 'ip printed a list of interfaces that cannot be read',
  remedy: 'Use the ip of iproute2 4.19 or later.',
};
