import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { fileInArchive } from '../../deploy/guest-image/boot/archive.ts';
import { buildGuestImage } from '../../deploy/guest-image/build.ts';
import type { KernelOrigin } from '../../deploy/guest-image/kernel/index.ts';
import type { Architecture, Manifest } from '../../pool/images/manifest.ts';
import { type GuestTrial, makeTrial, type TriedService } from '../../test/xen/guest-trial.ts';

/** The services of a host that have guests, in the order in which it starts them. */
export const services: readonly TriedService[] = ['xenstore', 'consensus', 'network', 'storage'];

/** What is measured. */
export interface Wanted {
  readonly service: TriedService;
  readonly architecture: Architecture;
  readonly kernel: KernelOrigin;
}

/** An image that was built, with what it is tried with. */
export interface Subject extends Wanted {
  readonly directory: string;
  readonly manifest: Manifest;
  readonly trial: GuestTrial;
  /** What init reads (`init/plan.c`), as it is in the image. */
  readonly plan: string;
  /** What it says when it has come as far as it can without Xen and without a pool, and that in words. */
  readonly says: RegExp;
  readonly reaches: string;
  /** Words of its command line that stand for Xen, and what is written in their place. */
  readonly withoutXen: Readonly<Record<string, readonly string[]>>;
  /** Modules of JavaScript that are linked in, and the packages that they are of: the bill of materials. */
  readonly modules: number;
  readonly packages: number;
}

/** Builds an image as `flotilla image build` does, into a directory of its own below `scratch`. */
export async function buildSubject(
  wanted: Wanted,
  scratch: string,
  report: (line: string) => void,
): Promise<Subject> {
  const { service, architecture, kernel } = wanted;
  const place = join(scratch, `${service}-${architecture}`);
  const trial = await makeTrial(service, place);
  const out = join(place, 'image');
  const { configuration } = trial;
  const { manifest } = await buildGuestImage(
    { service, architecture, kernel, configuration, out },
    report,
  );
  const initramfs = await readFile(join(out, manifest.initramfs.file));
  const plan = fileInArchive(initramfs, 'plan');
  if (plan === null) throw new Error(`the image of ${service} has no plan for its init`);
  const bill = await readFile(join(out, manifest.sbom.file), 'utf8');
  return {
    ...{ ...wanted, directory: out, manifest, trial, plan: plan.toString() },
    ...{ says: trial.says, reaches: trial.reaches, withoutXen: {} },
    ...(service === 'xenstore' ? onSocket : {}),
    ...linkedOf(bill),
  };
}

/** Without Xen, xenstored serves a socket as it serves rings elsewhere. */
const onSocket = {
  says: /"msg":"serving"/,
  reaches: 'serves its socket',
  withoutXen: { '--xenstore-domain': ['--no-rings'] },
};

/** What is read of CycloneDX 1.5: parts, and the files that each consists of. */
const BillSchema = v.object({
  components: v.array(
    v.object({
      type: v.string(),
      purl: v.string(),
      components: v.array(v.object({ type: v.literal('file') })),
    }),
  ),
});

function linkedOf(bill: string): { readonly modules: number; readonly packages: number } {
  const { components } = v.parse(BillSchema, JSON.parse(bill));
  const linked = components.filter(
    ({ type, purl }) => type === 'library' && purl.startsWith('pkg:npm/'),
  );
  const modules = linked.reduce((sum, each) => sum + each.components.length, 0);
  return { modules, packages: linked.length };
}

/** What a plan says of a key, a value for each of its lines. */
export function planned({ plan }: Pick<Subject, 'plan'>, key: string): readonly string[] {
  return plan
    .split('\n')
    .filter((line) => line.startsWith(`${key} `))
    .map((line) => line.slice(key.length + 1));
}
