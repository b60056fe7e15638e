import { type Command, InvalidArgumentError, Option } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Bytes, parseBytes } from '../../base/units.ts';
import type { Input } from '../../proto/codec.ts';
import type { DomainType, Vm } from '../../proto/gen/flotilla.vm.v1.ts';
import { type ChangeFlags, type ChangeRequest, change, dryRun, perform } from '../change.ts';
import { changesSomething, takesTime, verb, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { report, type Session, withPool } from '../session.ts';
import { sentenceOf } from './get.ts';
import { shape } from './words.ts';

/** A disk to be made: `1GiB`, `2GiB@fast`. */
interface NewDisk {
  readonly size: Bytes;
  readonly sr: string;
}

/** An interface to be made: `default`, `default@00:16:3e:00:00:01`. */
interface NewNic {
  readonly network: string;
  readonly mac: string;
}

interface CreateFlags extends ChangeFlags {
  readonly name: string;
  readonly memory: Bytes;
  readonly vcpus: number;
  readonly disk: readonly NewDisk[];
  readonly network: readonly NewNic[];
  readonly kernel?: string;
  readonly ramdisk?: string;
  readonly commandLine?: string;
  readonly type: 'pvh' | 'pv';
  readonly host?: string;
  readonly start?: boolean;
}

const defaultMemory = 256 * 2 ** 20;

/** `flotilla vm create`. */
export function createCommand(context: Context): Command {
  const command = verb(context, 'vm', 'create', 'Make a VM, and its disks')
    .requiredOption('--name <name>', 'a-z, 0-9, "-" and "."; at most 63 characters')
    .addOption(
      new Option('--memory <size>', 'such as 256MiB or 2GiB')
        .argParser(sizeArgument)
        .default(defaultMemory, '256MiB'),
    )
    .addOption(new Option('--vcpus <count>', 'virtual CPUs').argParser(wholeNumber).default(1))
    .addOption(
      new Option('--disk <size[@sr]>', 'a new disk, such as 1GiB or 2GiB@fast; may be repeated')
        .argParser(disks)
        .default([], 'none'),
    )
    .addOption(
      new Option('--network <network[@mac]>', 'an interface on this network; may be repeated')
        .argParser(networks)
        .default([], 'none'),
    )
    .option('--kernel <path>', "a kernel on the VM's host (default: the host's own)")
    .option('--ramdisk <path>', "an initial RAM disk on the VM's host; needs --kernel")
    .option('--command-line <text>', "the kernel's command line")
    .addOption(new Option('--type <type>', 'how Xen runs it').choices(['pvh', 'pv']).default('pvh'))
    .option('--host <host>', 'the host to make its disks on (default: the pool chooses)')
    .option('--start', 'start it when it is made')
    .addHelpText('after', createExample);
  return takesTime(changesSomething(command)).action((flags: CreateFlags) => {
    const wrong = contradiction(flags);
    if (wrong !== undefined) return report(context, flags.json === true, wrong);
    return withPool(context, flags, async (session) => {
      const outcome = await create(session, flags);
      return outcome.ok ? outcome : fail(withFlag(outcome.error));
    });
  });
}

const createExample = `
Example:
  flotilla vm create --name web --memory 256MiB --vcpus 1 --disk 1GiB --network default --start`;

async function create(session: Session, flags: CreateFlags): Promise<Result<ExitCode, Problem>> {
  const vm = vmOf(flags);
  const host = flags.host ?? '';
  const request: ChangeRequest = (to, fields, settings) =>
    to.vm.createVm({ vm, host, ...fields }, settings);
  const what = `${flags.name} (${shapeOf(flags)})`;
  if (flags.start !== true)
    return change(session, flags, request, {
      would: `make ${what}`,
      done: () => `${what} is made; start it with \`flotilla vm start ${flags.name}\``,
    });

  if (flags.dryRun === true) return dryRun(session, request, `make and start ${what}`);
  const made = await perform(session, request);
  if (!made.ok) return made;
  const started = await perform(session, (to, fields, settings) =>
    to.vm.startVm({ vm: made.value.resourceId, host, ...fields }, settings),
  );
  if (!started.ok)
    return fail({
      ...started.error,
      details: [
        ...(started.error.details ?? []),
        `${flags.name} is made; start it again with \`flotilla vm start ${flags.name}\``,
      ],
    });
  session.answer(
    started.value,
    session.json ? [] : [await sentenceOf(session, flags.name, `${flags.name} was started`)],
  );
  return ok(exitCodes.done);
}

function vmOf(flags: CreateFlags): Input<Vm> {
  const types: Readonly<Record<CreateFlags['type'], DomainType>> = {
    pv: 'DOMAIN_TYPE_PV',
    pvh: 'DOMAIN_TYPE_PVH',
  };
  return {
    name: flags.name,
    memory: flags.memory,
    vcpus: flags.vcpus,
    type: types[flags.type],
    boot: {
      kernel: flags.kernel ?? '',
      ramdisk: flags.ramdisk ?? '',
      commandLine: flags.commandLine ?? '',
    },
    disks: flags.disk,
    nics: flags.network,
  };
}

function shapeOf({ memory, vcpus, disk, network }: CreateFlags): string {
  return shape({ memory, vcpus, disks: disk, nics: network });
}

/** What is wrong with the flags together, or undefined. */
function contradiction(flags: CreateFlags): Problem | undefined {
  if (flags.start === true && !flags.wait)
    return wrongUsage(
      '--start waits until the VM is made, and --no-wait does not wait',
      'leave out one of them',
    );
  if (flags.ramdisk !== undefined && flags.kernel === undefined)
    return wrongUsage('--ramdisk is given without --kernel', 'name the kernel that it belongs to');
  for (const [flag, path] of [
    ['--kernel', flags.kernel],
    ['--ramdisk', flags.ramdisk],
  ] as const)
    if (path !== undefined && !path.startsWith('/'))
      return wrongUsage(
        `${flag} ${path} is a relative path, and the VM's host reads it, not this command`,
        'write the path on the host from its root: /...',
      );
  return undefined;
}

/** The flag that a field of the request came from. */
const flagOfField: readonly (readonly [field: RegExp, flag: string])[] = [
  [/^vm\.name/, '--name'],
  [/^vm\.memory/, '--memory'],
  [/^vm\.vcpus/, '--vcpus'],
  [/^vm\.type/, '--type'],
  [/^vm\.disks/, '--disk'],
  [/^vm\.nics/, '--network'],
  [/^vm\.boot\.kernel/, '--kernel'],
  [/^vm\.boot\.ramdisk/, '--ramdisk'],
  [/^vm\.boot\.command_?line/i, '--command-line'],
  [/^host/, '--host'],
];

/** Says which flag a refused field came from. */
function withFlag(problem: Problem): Problem {
  const { field } = problem;
  if (field === undefined) return problem;
  return { ...problem, flag: flagOfField.find(([pattern]) => pattern.test(field))?.[1] };
}

function sizeArgument(text: string): Bytes {
  const size = parseBytes(text);
  if (!size.ok) throw new InvalidArgumentError(size.error);
  return size.value;
}

function disks(text: string, before: readonly NewDisk[]): readonly NewDisk[] {
  const at = text.indexOf('@');
  const size = sizeArgument(at < 0 ? text : text.slice(0, at));
  const sr = at < 0 ? '' : text.slice(at + 1);
  if (at >= 0 && sr === '') throw new InvalidArgumentError('Name an SR after the @.');
  return [...before, { size, sr }];
}

function networks(text: string, before: readonly NewNic[]): readonly NewNic[] {
  const [network = '', mac = ''] = text.split('@');
  if (network === '') throw new InvalidArgumentError('Name a network.');
  return [...before, { network, mac }];
}
