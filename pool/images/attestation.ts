import { fail, ok, type Result } from '../../base/result.ts';
import type { HostId } from '../records/identifiers.ts';
import { joined } from './admission.ts';
import { sha256Of } from './digest.ts';
import {
  type BrokenChain,
  type ChainHead,
  chainBeginning,
  followChain,
  headAfter,
  type Measurement,
} from './measurement.ts';
import type { TrustedManifest } from './trust.ts';

/** What a host says of itself: its measurements since it booted, and where their chain ends. */
export interface HostEvidence {
  readonly host: HostId;
  readonly boot: string;
  readonly head: ChainHead;
  /** The newest ones, oldest first: earlier ones may be in the host's own log alone. */
  readonly measurements: readonly Measurement[];
}

/** What a measurement says. */
export type Verdict =
  /** It is what this manifest describes. */
  | { readonly kind: 'signed'; readonly image: TrustedManifest }
  /** It is an ordinary VM, and no image of the pool. */
  | { readonly kind: 'vm' }
  /** It is a service's guest, and not what a manifest describes that is trusted now. */
  | { readonly kind: 'unknown'; readonly why: string };

/** A measurement, and what it says. */
export interface Judged {
  readonly measurement: Measurement;
  readonly verdict: Verdict;
  /** The service's guest was started again since: what this one ran does not run any more. */
  readonly replaced: boolean;
}

/**
 * Verifies that the measurements form one chain, and that it reaches the head that the host told.
 * They may go on after that head: it was read before them.
 */
export function verifyEvidence({
  host,
  boot,
  head,
  measurements,
}: HostEvidence): Result<ChainHead, BrokenChain> {
  const [first] = measurements;
  const beginning = chainBeginning(host, boot);
  if (first === undefined)
    return head.sequence === 0
      ? ok(beginning)
      : fail({ sequence: head.sequence, why: 'is missing, and all before it' });
  const from =
    first.sequence === 1 ? beginning : { sequence: first.sequence - 1, digest: first.previous };
  const followed = followChain(from, measurements);
  if (!followed.ok) return followed;
  const { sequence, digest } = head;
  if (sequence > followed.value.sequence) return fail({ sequence, why: 'is missing' });
  const there = measurements.find((each) => each.sequence === sequence);
  const reached = there === undefined ? from : headAfter(there);
  if (reached.sequence === sequence && reached.digest === digest) return followed;
  return fail({ sequence, why: 'is not the one that the host told of: it was changed' });
}

/** Says of each measurement what it is, by the manifests that are trusted now. */
export function judge(
  measurements: readonly Measurement[],
  trusted: readonly TrustedManifest[],
): readonly Judged[] {
  return measurements.map((measurement, index) => ({
    measurement,
    verdict: verdictOf(measurement, trusted),
    replaced:
      measurement.service !== null &&
      measurements
        .slice(index + 1)
        .some(
          ({ service, domain }) =>
            service === measurement.service && domain.name === measurement.domain.name,
        ),
  }));
}

function verdictOf(measurement: Measurement, trusted: readonly TrustedManifest[]): Verdict {
  const { service, kernel, initramfs, manifest: digest } = measurement;
  if (service === null) {
    const same = trusted.find(
      ({ manifest }) =>
        manifest.kernel.sha256 === kernel && manifest.initramfs.sha256 === initramfs,
    );
    return same === undefined ? { kind: 'vm' } : { kind: 'signed', image: same };
  }
  const image = trusted.find((each) => each.digest === digest);
  if (image === undefined)
    return { kind: 'unknown', why: 'no manifest that is trusted now has its digest' };
  const differs = differenceFrom(image, measurement);
  return differs === null ? { kind: 'signed', image } : { kind: 'unknown', why: differs };
}

/** A host that lies about its admission is found out: it would have to lie about the digests too. */
function differenceFrom({ manifest }: TrustedManifest, measured: Measurement): string | null {
  if (manifest.service !== measured.service) return `its manifest is of ${manifest.service}`;
  if (manifest.kernel.sha256 !== measured.kernel) return 'its kernel is not that of its manifest';
  if (manifest.initramfs.sha256 !== measured.initramfs)
    return 'its initramfs is not that of its manifest';
  const commandLine = sha256Of(joined(manifest.commandLine, measured.hostWords));
  return commandLine === measured.commandLine
    ? null
    : 'its command line is not that of its manifest';
}
