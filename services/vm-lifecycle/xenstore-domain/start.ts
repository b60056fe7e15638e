import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandFailure, runCommand } from '../../../base/command.ts';
import { fail, ok, type Result } from '../../../base/result.ts';
import { milliseconds } from '../../../base/units.ts';
import type { Failure } from '../../../pool/failure.ts';
import { type AdmittedImage, admitImage } from '../adapters/images/admit.ts';
import type { GuestImages } from '../adapters/images/guest-images.ts';
import type { TrustSource } from '../adapters/images/trust-sources.ts';
import { guestUuid } from '../service-guests/adapters/identity.ts';

/**
 * The xenstore domain: a guest of its own that keeps the host's xenstore, for the control domain too.
 * Xen's own tool builds it, which needs no xenstore, and hands it the control domain's ring and an event
 * channel (tools/helpers/init-xenstore-domain.c). Once it serves, the domain has to stay until the
 * host's next boot: the control domain's kernel has no way to another one. Its process may restart.
 */

/** Building it takes seconds; on an emulated host that does other things, minutes. */
const buildPatience = milliseconds(600_000);

/** Where Xen's helpers are: a directory for each version of Xen. */
const helpers = '/usr/lib';
const helper = 'bin/init-xenstore-domain';

const mebibyte = 2 ** 20;

/** The name that init-xenstore-domain gives it. */
const name = 'Xenstore';

/** What the start is made of. */
export interface XenstoreDomainStart {
  readonly host: { readonly id: string; readonly name: string };
  /** The directory of the image. */
  readonly image: string;
  readonly trust: TrustSource;
  readonly images: Pick<GuestImages, 'copies' | 'record'>;
  /** Further words for its kernel, of those that a host may add. */
  readonly words: string;
  /** Path of init-xenstore-domain. */
  readonly builder: string;
  readonly run: typeof runCommand;
}

/** The newest init-xenstore-domain of this host, or null. */
export async function findBuilder(root = helpers): Promise<string | null> {
  const names = (await readdir(root).catch(() => [])).filter((name) => /^xen-\d/.test(name));
  const newest = names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))[0];
  return newest === undefined ? null : join(root, newest, helper);
}

/**
 * Starts the domain from an image that is trusted, and measures it. Resolves when the control domain's
 * kernel is connected to it. An image with a bit changed is a failure, which names the file and both
 * digests.
 */
export async function startXenstoreDomain(
  start: XenstoreDomainStart,
): Promise<Result<void, Failure>> {
  const { host, image, trust, images, words } = start;
  const domain = { uuid: guestUuid(host.id, 'xenstore'), name };
  const admitted = await admitImage(
    images,
    { name: host.name },
    { directory: image, service: 'xenstore', domain, hostWords: words, trust },
  );
  if (!admitted.ok) return admitted;
  try {
    return await build(start, admitted.value);
  } finally {
    await admitted.value.release();
  }
}

async function build(
  { builder, run }: XenstoreDomainStart,
  { manifest, kernel, ramdisk, commandLine }: AdmittedImage,
): Promise<Result<void, Failure>> {
  const built = await run(
    builder,
    [
      ...['--kernel', kernel, '--ramdisk', ramdisk],
      ...['--memory', String(Math.ceil(manifest.memory / mebibyte)), '--param', commandLine],
    ],
    buildPatience,
  );
  return built.ok ? ok(undefined) : fail(whyNot(built.error));
}

/** That this host has no tool that builds such a domain. */
export const noBuilder: Failure = {
  reason: 'HYPERVISOR',
  message: 'init-xenstore-domain is not on this host',
  remedy: "Install Debian's xen-utils-4.17.",
};

function whyNot({ kind, detail }: CommandFailure): Failure {
  switch (kind) {
    case 'missing':
      return noBuilder;
    case 'slow':
      return {
        reason: 'HYPERVISOR',
        message: `the xenstore domain was not built within ${buildPatience / 1000} s`,
        remedy: 'Boot the host again.',
      };
    case 'refused':
      return {
        reason: 'HYPERVISOR',
        message: `init-xenstore-domain failed: ${detail}`,
        remedy: 'It works once for each boot of a host, and where no xenstored runs.',
      };
  }
}
