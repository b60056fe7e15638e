import { bounds } from '../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import { formatBytes } from '../../../base/units.ts';
import { type DraftDisk, type DraftNic, validateDisk, validateNics } from './device-validation.ts';
import { quote, type Violation } from './violation.ts';

/** What CreateVm asks for; the API's message has this form. */
export interface VmDraft {
  readonly name: string;
  readonly memory: number;
  readonly vcpus: number;
  readonly boot: BootDraft | null;
  readonly disks: readonly DraftDisk[];
  readonly nics: readonly DraftNic[];
}

/** Paths on the host that starts the VM; empty: that host's default. */
export interface BootDraft {
  readonly kernel: string;
  readonly ramdisk: string;
  readonly commandLine: string;
}

/** The longest path that Linux takes (PATH_MAX, with its final NUL). */
const pathLength = 4095;
/** The page size of Xen on x86: memory is given in whole pages. */
const page = 4096;
/** The longest that ShutdownVm waits for a guest, in seconds: a day. */
const shutdownTimeoutMax = 86_400;

const namePattern = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Everything about a new VM that can be judged without the pool. */
export function validateDraft(vm: VmDraft): readonly Violation[] {
  return [
    ...validateName('vm.name', vm.name),
    ...validateMemory('vm.memory', vm.memory),
    ...validateVcpus('vm.vcpus', vm.vcpus),
    ...(vm.boot === null ? [] : validateBoot('vm.boot', vm.boot)),
    ...count('vm.disks', vm.disks.length, bounds.vmDisks, 'disks'),
    ...vm.disks.slice(0, bounds.vmDisks).flatMap((disk, index) => validateDisk(disk, index)),
    ...count('vm.nics', vm.nics.length, bounds.vmNics, 'interfaces'),
    ...validateNics(vm.nics.slice(0, bounds.vmNics)),
  ];
}

/** The name of a VM: it may become its host name, and must not be taken for an id. */
export function validateName(field: string, name: string): readonly Violation[] {
  if (name.length > bounds.nameLength)
    return [
      {
        field,
        message: `a name of ${name.length} characters; at most ${bounds.nameLength} are accepted`,
      },
    ];
  if (!namePattern.test(name))
    return [
      {
        field,
        message: `${quote(name)} is not a name; 1 to ${bounds.nameLength} of a-z, 0-9, "-" and "." are accepted, beginning and ending with a letter or digit`,
      },
    ];
  if (uuidPattern.test(name))
    return [{ field, message: `${quote(name)} has the form of an id; choose a name that has not` }];
  return [];
}

/** Memory in bytes: whole pages within what Xen supports. */
export function validateMemory(field: string, memory: number): readonly Violation[] {
  const accepted = `a multiple of 4 KiB from ${formatBytes(bounds.vmMemoryMin)} to ${formatBytes(bounds.vmMemoryMax)} is accepted`;
  if (!Number.isSafeInteger(memory) || memory < bounds.vmMemoryMin || memory > bounds.vmMemoryMax)
    return [{ field, message: `${memory} bytes of memory; ${accepted}` }];
  if (memory % page !== 0)
    return [
      { field, message: `${memory} bytes of memory is not a multiple of 4 KiB; ${accepted}` },
    ];
  return [];
}

/** The number of virtual CPUs. */
export function validateVcpus(field: string, vcpus: number): readonly Violation[] {
  if (Number.isSafeInteger(vcpus) && vcpus >= 1 && vcpus <= bounds.vmVcpus) return [];
  return [{ field, message: `${vcpus} virtual CPUs; from 1 to ${bounds.vmVcpus} are accepted` }];
}

/** What the VM boots. Whether the files exist is checked on the host. */
export function validateBoot(field: string, boot: BootDraft): readonly Violation[] {
  const violations = [
    ...validatePath(`${field}.kernel`, boot.kernel),
    ...validatePath(`${field}.ramdisk`, boot.ramdisk),
  ];
  if (boot.kernel === '' && boot.ramdisk !== '')
    violations.push({
      field: `${field}.kernel`,
      message: 'a RAM disk without a kernel; give the kernel that it belongs to as well',
    });
  const line = boot.commandLine;
  if (line.length > bounds.kernelCommandLine)
    violations.push({
      field: `${field}.command_line`,
      message: `${line.length} characters; at most ${bounds.kernelCommandLine} are accepted`,
    });
  else if (hasControlCharacter(line))
    violations.push({
      field: `${field}.command_line`,
      message:
        'it holds a control character, such as a line break; only printable text is accepted',
    });
  return violations;
}

/** The wait of ShutdownVm and RebootVm; 0 stands for the default. */
export function validateTimeout(field: string, seconds: number): readonly Violation[] {
  if (seconds >= 0 && seconds <= shutdownTimeoutMax) return [];
  return [{ field, message: `${seconds} seconds; from 0 to ${shutdownTimeoutMax} are accepted` }];
}

/** A caller's `request_id`: empty or a UUID. */
export function validateRequestId(field: string, id: string): readonly Violation[] {
  if (id === '' || uuidPattern.test(id)) return [];
  return [{ field, message: `${quote(id)} is not a UUID in lower case` }];
}

/** What UpdateVm may change; `boot` stands for its three fields. */
export const updatePaths = [
  'name',
  'memory',
  'vcpus',
  'boot',
  'boot.kernel',
  'boot.ramdisk',
  'boot.command_line',
] as const;
export type UpdatePath = (typeof updatePaths)[number];

/** Reads UpdateVm's mask: at least one path, each of them one that can change. */
export function readUpdateMask(
  paths: readonly string[],
): Result<ReadonlySet<UpdatePath>, Violation> {
  const accepted = `accepted are ${updatePaths.join(', ')}`;
  if (paths.length === 0)
    return fail({ field: 'update_mask', message: `it names no field to change; ${accepted}` });
  const known: UpdatePath[] = [];
  for (const path of paths) {
    const found = updatePaths.find((candidate) => candidate === path);
    if (found === undefined)
      return fail({
        field: 'update_mask',
        message: `${quote(path)} cannot be changed; ${accepted}`,
      });
    known.push(found);
  }
  return ok(new Set(known));
}

function validatePath(field: string, path: string): readonly Violation[] {
  if (path === '') return [];
  if (path.length > pathLength)
    return [
      { field, message: `a path of ${path.length} characters; at most ${pathLength} are accepted` },
    ];
  if (!path.startsWith('/') || hasControlCharacter(path))
    return [{ field, message: `${quote(path)} is not an absolute path, such as /boot/vmlinuz` }];
  return [];
}

function count(field: string, given: number, most: number, noun: string): readonly Violation[] {
  if (given <= most) return [];
  return [{ field, message: `${given} ${noun}; at most ${most} are accepted` }];
}

function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
