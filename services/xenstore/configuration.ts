import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, Option } from 'commander';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { commonFields } from '../../pool/configuration.ts';
import { socketPath } from './client/transports/unix-socket.ts';

/** The longest path that a Unix socket can have on Linux, without the NUL (unix(7)). */
const socketPathMax = 107;

/**
 * A xenstored belongs to one host and needs nothing of the pool: it may be run alone, with no field at
 * all. What every service has is accepted, as `flotilla up` writes it.
 */
export const ConfigurationSchema = v.strictObject({
  ...v.partial(v.object(commonFields)).entries,
  /** Where local tools connect. Left out: see `placesOf`. */
  socket: v.optional(v.pipe(v.string(), v.maxLength(socketPathMax))),
  /** Whether to serve the rings of domains. Left out: in the control domain of a Xen host. */
  rings: v.optional(v.boolean()),
  /** Whether this is a domain that has the host's xenstore alone, as init-xenstore-domain starts one. */
  xenstoreDomain: v.optional(v.boolean()),
  /** Where to write the process's id, once the socket and the rings are served. */
  pidFile: v.optional(v.string()),
  /**
   * Whether to end the xenstored whose id is in `pidFile`, and to go on in its place. Where another one,
   * such as a xenstore domain, has the rings and gRPC is served, it is passed on to that one.
   */
  takeOver: v.optional(v.boolean()),
});
export type Configuration = v.InferOutput<typeof ConfigurationSchema>;

/** Adds the flags of the fields that other services do not have. */
export function xenstoredOptions(command: Command): Command {
  return command
    .option(
      '--socket <path>',
      'the Unix socket of local tools (default: socket in --data-dir; without that, $XENSTORED_PATH or /var/run/xenstored/socket)',
    )
    .option('--rings', 'serve the rings of domains; it does so where there are some')
    .option('--no-rings', 'serve the socket, and gRPC, alone')
    .option(
      '--xenstore-domain',
      'serve the rings from a domain of its own, which init-xenstore-domain has started',
    )
    .option(
      '--live-update [program]',
      'have the xenstored that serves the socket become this program, main.ts of another release, or itself anew',
    )
    .addOption(new Option('--check-state <file>', 'say whether a snapshot can be read').hideHelp())
    .option('--pid-file <path>', 'where to write the process id, once it serves')
    .option(
      '--take-over',
      'end the xenstored of --pid-file, and go on with its --data-dir; where another has the rings, be a gateway to it',
    )
    .addHelpText('after', runAlone);
}

const runAlone = `
Alone, it needs no other flag: flotilla xenstored --socket PATH. State is then kept in PATH.data, unless
--data-dir says otherwise. gRPC is served where --listen says so.`;

/** Where a xenstored has what. */
export interface Places {
  readonly socket: string;
  /** What has to outlive the process: the journal, logs. */
  readonly data: string;
}

/**
 * Where the socket and the data are. A socket without a data directory has its data beside it, and so
 * in the same file system: that of /run is empty after a boot, as xenstore has to be.
 */
export function placesOf(
  { socket, dataDir }: Pick<Configuration, 'socket' | 'dataDir'>,
  environment: NodeJS.ProcessEnv = process.env,
): Places {
  const fallback = dataDir === undefined ? socketPath(environment) : join(dataDir, 'socket');
  const path = socket ?? fallback;
  return { socket: path, data: dataDir ?? `${path}.data` };
}

/** Makes the directories that are missing. The failure is a sentence. */
export function makePlaces({ socket, data }: Places): Result<void, string> {
  for (const [directory, mode] of [
    [dirname(socket), 0o755],
    [data, 0o700],
  ] as const)
    try {
      mkdirSync(directory, { recursive: true, mode });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return fail(
        `cannot make ${directory}: ${why}; choose places that this user may write with --socket and --data-dir`,
      );
    }
  return ok(undefined);
}
