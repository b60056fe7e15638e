import { writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import {
  type Architecture,
  architectures,
  kernelOrigins,
  type Manifest,
} from '../../pool/images/manifest.ts';
import { type ServiceName, serviceNames } from '../../pool/records/host.ts';
import { verb } from '../command.ts';
import { type Context, processContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { report as reportProblem, voiceOf } from '../session.ts';

/** An image that is wanted. */
export interface BuildRequest {
  readonly service: ServiceName;
  readonly architecture: Architecture;
  /** Null: the one of Debian's that fits the service. */
  readonly kernel: Manifest['kernel']['origin'] | null;
  /** A JSON file that is linked in; null: none. */
  readonly configuration: string | null;
  /** The directory for its files. */
  readonly out: string;
}

/**
 * Builds an image, and says what is being done line by line. The failure says what stopped it, and what to
 * do. `report` is what is linked in, and why.
 */
export type BuildImage = (
  request: BuildRequest,
  progress: (line: string) => void,
) => Promise<Result<{ readonly manifest: Manifest; readonly report: string }, string>>;

interface BuildFlags {
  readonly out: string;
  readonly config?: string;
  readonly kernel?: Manifest['kernel']['origin'];
  readonly arch?: Architecture;
  readonly report?: string;
  readonly json?: boolean;
}

const mebibyte = 2 ** 20;

/** `flotilla image build`; `build` is what does it. */
export function buildCommand(build: BuildImage, context: Context = processContext()): Command {
  return verb(
    context,
    'image',
    'build <service>',
    `Build the guest image of a service: ${serviceNames.join(', ')}`,
  )
    .requiredOption('--out <directory>', 'where to write the image; made where it is missing')
    .option('--config <file>', "the service's configuration, to be linked in (JSON, no secrets)")
    .addOption(
      new Option(
        '--kernel <origin>',
        "Debian's kernel for clouds or for any machine, or one for this service alone (default: cloud; generic for vm-lifecycle)",
      ).choices([...kernelOrigins]),
    )
    .addOption(
      new Option('--arch <architecture>', 'the machine that it is for (default: this one)').choices(
        [...architectures],
      ),
    )
    .option('--report <file>', 'write down every module that is linked in, and why')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', help)
    .action(async (name: string, flags: BuildFlags) => {
      const json = flags.json === true;
      const outcome = await run(context, build, name, flags);
      if (!outcome.ok) return reportProblem(context, json, outcome.error);
      context.finish(exitCodes.done);
    });
}

const help = `
It writes vmlinuz, initramfs.img, manifest.json (what it is, and what it may do), sbom.cdx.json (all
that is linked in), and SERVICE.xl.cfg and SERVICE.service, which start it. What was built before is
kept in your cache directory. It needs Debian 12, with squashfs-tools and gcc.

Exit codes:
  0    done
  1    the image cannot be built
  2    wrong usage`;

async function run(
  context: Context,
  build: BuildImage,
  name: string,
  flags: BuildFlags,
): Promise<Result<void, Problem>> {
  const service = serviceNames.find((each) => each === name);
  if (service === undefined)
    return fail({
      exitCode: exitCodes.usage,
      message: `there is no service ${name}`,
      remedy: `name one of ${serviceNames.join(', ')}`,
    });
  const voice = voiceOf(context, flags.json === true);
  const at = (path: string) => resolve(context.directory, path);
  const request: BuildRequest = {
    ...{ service, kernel: flags.kernel ?? null, out: at(flags.out) },
    architecture: flags.arch ?? (arch() === 'arm64' ? 'aarch64' : 'x86_64'),
    configuration: flags.config === undefined ? null : at(flags.config),
  };
  const built = await build(request, (line) => voice.note(line));
  if (!built.ok) return fail({ exitCode: exitCodes.failed, message: built.error, remedy: '' });
  const { manifest, report } = built.value;
  if (flags.report !== undefined) {
    const written = await writeReport(at(flags.report), report);
    if (!written.ok) return written;
  }
  const { kernel, initramfs, memory } = manifest;
  const size = kernel.size + initramfs.size;
  voice.answer({ out: request.out, size, manifest }, [
    `built the image of ${service} for ${manifest.architecture} in ${flags.out}`,
    `kernel ${kernel.release} (${kernel.origin}), ${mebibytes(kernel.size)}; initramfs ${mebibytes(initramfs.size)}; together ${mebibytes(size)}`,
    `its guest gets ${mebibytes(memory)} of memory`,
    `next: flotilla image sign ${flags.out} --key FILE`,
  ]);
  return ok(undefined);
}

async function writeReport(path: string, text: string): Promise<Result<void, Problem>> {
  try {
    await writeFile(path, text);
    return ok(undefined);
  } catch (error) {
    return fail({
      exitCode: exitCodes.failed,
      message: `the report cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'name a file in a directory that exists',
    });
  }
}

function mebibytes(size: number): string {
  return `${(size / mebibyte).toFixed(1)} MiB`;
}
