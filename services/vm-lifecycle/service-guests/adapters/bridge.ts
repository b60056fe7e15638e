import { runCommand } from '../../../../base/command.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import { commandText } from './disks.ts';

/** ip talks to the kernel alone; what takes longer hangs. */
const ipTimeout = milliseconds(15_000);

/** Joins the backend's interface of a guest to a bridge of this host. */
export type JoinBridge = (name: string, bridge: string) => Promise<Result<void, string>>;

/**
 * The bridges of this kernel. The network service does the same for VMs; it may be one of the guests
 * that are started here, so it cannot be asked.
 */
export const linuxBridge: JoinBridge = async (name, bridge) => {
  const quiet = ['arp', 'off', 'multicast', 'off'];
  const options = ['link', 'set', 'dev', name, ...quiet, 'master', bridge, 'up'];
  const done = await runCommand('ip', options, ipTimeout);
  return done.ok ? ok(undefined) : fail(commandText(done.error));
};

/** Where domains are simulated there are no interfaces. */
export const simulatedBridge: JoinBridge = () => Promise.resolve(ok(undefined));
