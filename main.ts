/**
 * `flotilla`: one executable for everything. What is asked for is loaded, and nothing else: a storage
 * service has no code of the CLI in its memory.
 */
import { join } from 'node:path';
import { Command } from 'commander';
import { linkedProgram } from './base/linked-program.ts';
import { becomeLean } from './consensus/lean-process.ts';

/** A subcommand: what it is for, and how to get it. */
interface Subcommand {
  readonly name: string;
  readonly summary: string;
  readonly hidden?: boolean;
  readonly load: () => Promise<Command>;
}

const subcommands: readonly Subcommand[] = [
  {
    name: 'up',
    summary: 'run a whole pool on this machine',
    load: async () => (await import('./cli/up/command.ts')).upCommand(),
  },
  {
    name: 'vm',
    summary: 'virtual machines: create, list, start, shut down, console, ...',
    load: async () => (await import('./cli/index.ts')).vmCommand(),
  },
  {
    name: 'host',
    summary: 'hosts: list, show; run the services of one',
    load: async () => {
      const [{ hostCommand }, { hostUpCommand }, { hostSeedCommand }, image, verify] =
        await Promise.all([
          import('./cli/index.ts'),
          import('./cli/up/command.ts'),
          import('./cli/host-seed/command.ts'),
          import('./cli/host-image/command.ts'),
          import('./cli/host-image/verify.ts'),
        ]);
      return hostCommand()
        .addCommand(hostUpCommand())
        .addCommand(hostSeedCommand())
        .addCommand(verify.hostVerifyCommand())
        .addCommand(
          image.hostImageCommand(async (request, progress) =>
            (await import('./deploy/xen-host/index.ts')).buildHost(request, progress),
          ),
        );
    },
  },
  {
    name: 'operation',
    summary: 'what the pool is doing: list, watch, cancel',
    load: async () => (await import('./cli/index.ts')).operationCommand(),
  },
  {
    name: 'pool',
    summary: 'the pool at a glance, and its database: members, snapshots, ...',
    load: async () => {
      const [{ poolCommand }, { restoreCommand }] = await Promise.all([
        import('./cli/index.ts'),
        import('./consensus/offline/commands.ts'),
      ]);
      return poolCommand({
        describeSnapshot: async (path, counted) =>
          (await import('./consensus/start/describe-snapshot.ts')).describeSnapshot(path, counted),
        restore: restoreCommand(),
      });
    },
  },
  {
    name: 'xenstore',
    summary: "a host's xenstore: ls, read, write, watch, chmod, ...",
    load: async () => (await import('./cli/xenstore/command.ts')).xenstoreCommand(),
  },
  {
    name: 'image',
    summary: 'guest images: build, sign, verify, publish, whom to trust',
    load: async () => {
      const { imageCommand } = await import('./cli/image/command.ts');
      return imageCommand(async (request, progress) =>
        (await import('./deploy/guest-image/index.ts')).buildImage(request, progress),
      );
    },
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    load: async () => (await import('./cli/index.ts')).completionCommand(),
  },
  {
    name: '__complete',
    summary: 'what the completion scripts ask',
    hidden: true,
    load: async () => (await import('./cli/index.ts')).completeCommand(),
  },
  {
    name: 'vm-lifecycle',
    summary: 'the service that runs the VMs of a host',
    load: async () => (await import('./services/vm-lifecycle/main.ts')).vmLifecycleCommand(),
  },
  {
    name: 'service-guests',
    summary: "starts and watches a host's service guests",
    load: async () =>
      (await import('./services/vm-lifecycle/service-guests/main.ts')).serviceGuestsCommand(),
  },
  {
    name: 'storage',
    summary: 'the service that keeps the disks of a host',
    load: async () => (await import('./services/storage/main.ts')).storageCommand(),
  },
  {
    name: 'network',
    summary: 'the service that connects the VMs of a host',
    load: async () => (await import('./services/network/main.ts')).networkCommand(),
  },
  {
    name: 'xenstored',
    summary: 'the service that keeps the xenstore of a host',
    load: async () => (await import('./services/xenstore/main.ts')).xenstoredCommand(),
  },
  {
    name: 'xenstore-domain',
    summary: "start the domain that keeps a host's xenstore, at the host's boot",
    load: async () =>
      (await import('./services/vm-lifecycle/xenstore-domain/main.ts')).xenstoreDomainCommand(),
  },
  {
    name: 'consensus',
    summary: 'a member of the pool database',
    load: async () => (await import('./consensus/main.ts')).consensusCommand(),
  },
  {
    name: 'host-boot',
    summary: 'what the control domain of a host image runs',
    hidden: true,
    load: async () => (await import('./cli/boot/command.ts')).hostBootCommand(),
  },
  {
    name: 'libxl-worker',
    summary: 'the process that holds libxl',
    hidden: true,
    load: async () => {
      const { runWorker } = await import('./hypervisor/xen/run-worker.ts');
      return new Command('libxl-worker').action(runWorker);
    },
  },
  {
    name: 'simulated-hypervisor',
    summary: 'pretends to be the hypervisor of a host',
    hidden: true,
    load: async () =>
      (await import('./hypervisor/simulated/command.ts')).simulatedHypervisorCommand(),
  },
];

/** The whole tree of commands; only the asked one is more than its name. */
async function program(asked: string | undefined): Promise<Command> {
  const root = wrongUsageIs2(new Command('flotilla'))
    .description('The control plane of a pool of Xen hosts, without the monolithic domain 0.')
    .version('0.1.0')
    // A command's options are its own: `consensus restore --name` is not the --name of `consensus`.
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nStart here:\n  flotilla up              a pool on this machine\n  flotilla vm create --help',
    );
  for (const subcommand of subcommands) {
    const hidden = subcommand.hidden === true;
    // The completion script knows every command and flag: it is made from the whole tree.
    if (subcommand.name === asked || (asked === 'completion' && subcommand.hidden !== true))
      root.addCommand(wrongUsageIs2(await subcommand.load()), { hidden });
    else root.command(subcommand.name, { hidden }).description(subcommand.summary);
  }
  return root;
}

/** Commander ends with 1 where the words are wrong: 2 is for that, 1 for what was tried and failed. */
function wrongUsageIs2(command: Command): Command {
  for (const each of command.commands) wrongUsageIs2(each);
  return command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
}

// grpc-js offers an IP address as TLS server name. Node says that a later version will ignore it, as
// RFC 6066 wants; the certificate is checked against the address either way, so nobody need act.
const notices: ReadonlySet<string | undefined> = new Set(['DEP0123']);
process.removeAllListeners('warning');
process.on('warning', (warning: Error & { readonly code?: string }) => {
  if (!notices.has(warning.code)) process.stderr.write(`${warning.stack ?? warning.message}\n`);
});

// Before anything is read or loaded: the process begins anew. In a guest init has started it so.
if (process.argv[2] === 'consensus' && linkedProgram(import.meta.filename) === null)
  becomeLean(join(import.meta.dirname, 'bin', 'flotilla.js'));

// A supervised process ends with its supervisor: the pipe on its standard input closes then. That pipe
// alone is no reason to go on, once the process has done what it was to do before its end.
if (process.env.FLOTILLA_SUPERVISED === '1') {
  process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM')).resume();
  process.stdin.unref();
}

const [, , first, second] = process.argv;
// Nothing awaits at this level: images have this file as a function (deploy/guest-image/bundle.ts).
void program(first === 'help' ? second : first).then((root) => root.parseAsync());
