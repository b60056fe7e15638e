import { join } from 'node:path';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { DomainUuid } from '../../../../hypervisor/port.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { admitGuest } from '../../../../pool/images/admission.ts';
import { sha256Of } from '../../../../pool/images/digest.ts';
import {
  type Architecture,
  architectures,
  type Manifest,
} from '../../../../pool/images/manifest.ts';
import { imageFailure } from '../../../../pool/images/trust.ts';
import type { ServiceName } from '../../../../pool/records/host.ts';
import type { GuestImages, MeasuredBoot } from './guest-images.ts';
import type { TrustSource } from './trust-sources.ts';

/** The guest of a service that is to be started. */
export interface ImageToAdmit {
  /** Where the image is on this host: its manifest, kernel and initramfs. */
  readonly directory: string;
  readonly service: ServiceName;
  readonly domain: { readonly uuid: DomainUuid; readonly name: string };
  /** What the host adds to the command line (`hostWordNames`), or empty. */
  readonly hostWords: string;
  /** Whom to believe: `poolTrust`, or `pinnedTrust` before the pool database answers. */
  readonly trust: TrustSource;
}

/** A guest that may be started: with these files and this command line, and no others. */
export interface AdmittedImage extends MeasuredBoot {
  readonly ramdisk: string;
  readonly commandLine: string;
  readonly manifest: Manifest;
}

/** This machine, as images name it; null where no images are built for it. */
function hostArchitecture(): Architecture | null {
  if (process.arch === 'x64') return 'x86_64';
  return process.arch === 'arm64' ? 'aarch64' : null;
}

/**
 * Lets the guest of a service start, or says why not. The manifest in the directory must be one that
 * is believed; kernel and initramfs are copied, hashed on their way, and compared with it; what is
 * returned are the copies. It is measured before it is returned. Call `release` when the hypervisor
 * has built the domain.
 */
export async function admitImage(
  images: Pick<GuestImages, 'copies' | 'record'>,
  host: { readonly name: string; readonly architecture?: Architecture },
  { directory, service, domain, hostWords, trust }: ImageToAdmit,
): Promise<Result<AdmittedImage, Failure>> {
  const architecture = host.architecture ?? hostArchitecture();
  if (architecture === null) return fail(noImages(host.name));
  const trusted = await trust(directory);
  if (!trusted.ok) return trusted;
  const { manifest, digest } = trusted.value;
  const kernel = join(directory, manifest.kernel.file);
  const ramdisk = join(directory, manifest.initramfs.file);
  const files = await images.copies.take({ kernel, ramdisk });
  if (!files.ok) return files;
  const { release } = files.value;
  const admitted = admitGuest(trusted.value, {
    host: host.name,
    architecture,
    directory,
    service,
    kernel: files.value.kernel,
    initramfs: files.value.ramdisk,
    hostWords,
  });
  if (!admitted.ok) {
    await release();
    return admitted;
  }
  const { commandLine } = admitted.value;
  const measured = await images.record({
    domain,
    service,
    kernel: manifest.kernel.sha256,
    initramfs: manifest.initramfs.sha256,
    commandLine: sha256Of(commandLine),
    hostWords,
    manifest: digest,
  });
  if (!measured.ok) {
    await release();
    return measured;
  }
  return ok({
    kernel: files.value.kernel?.path ?? '',
    ramdisk: files.value.ramdisk?.path ?? '',
    commandLine,
    manifest,
    release,
  });
}

function noImages(host: string): Failure {
  return imageFailure(
    `no guest images are built for ${process.arch} machines, as ${host} is one`,
    `Run the services as processes there, or use a machine of ${architectures.join(' or ')}.`,
  );
}
