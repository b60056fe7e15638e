import { milliseconds } from '../../base/units.ts';
import type { HostEvidence, Judged, Verdict } from '../../pool/images/attestation.ts';
import type { BrokenChain } from '../../pool/images/measurement.ts';
import { shortDigest } from '../image/list.ts';
import { count, nothing } from '../output/humane.ts';
import type { Style } from '../output/style.ts';
import { tableLines } from '../output/table.ts';

/** What was found of a host. */
export interface Attestation {
  readonly host: string;
  /** Null: it measured nothing yet. */
  readonly evidence: HostEvidence | null;
  /** Where the chain is broken; null where it holds. */
  readonly broken: BrokenChain | null;
  readonly judged: readonly Judged[];
}

/** What was found of a host, for people. */
export function attestationLines(
  { host, evidence, broken, judged }: Attestation,
  style: Style,
): readonly string[] {
  if (evidence === null) return [`${style.paint('strong', host)}: nothing was measured yet`];
  const { boot, head, measurements } = evidence;
  const [first] = measurements;
  const before = first === undefined ? 0 : first.sequence - 1;
  const chain =
    broken === null
      ? style.paint('good', `the chain holds up to ${shortDigest(head.digest)}`)
      : style.paint('bad', `the chain is broken at ${broken.sequence}`);
  const columns = ['TIME', 'DOMAIN', 'GUEST OF', 'KERNEL', 'INITRAMFS', 'IMAGE'];
  return [
    `${style.paint('strong', host)}: ${count(head.sequence, 'measurement')} since boot ${boot}; ${chain}`,
    ...(before > 0 ? [`  the first ${before} are in the host's own log alone`] : []),
    ...tableLines(
      [{ heading: '#', align: 'right' }, ...columns.map((heading) => ({ heading }))],
      judged.map((each) => row(each, style)),
      style,
    ),
  ];
}

function row({ measurement, verdict, replaced }: Judged, style: Style): readonly string[] {
  const { sequence, time, domain, service, kernel, initramfs } = measurement;
  return [
    String(sequence),
    new Date(time).toLocaleString('sv-SE'),
    domain.name,
    service ?? nothing,
    kernel === null ? nothing : shortDigest(kernel),
    initramfs === null ? nothing : shortDigest(initramfs),
    `${verdictText(verdict, style)}${replaced ? ', replaced since' : ''}`,
  ];
}

function verdictText(verdict: Verdict, style: Style): string {
  switch (verdict.kind) {
    case 'signed': {
      const { manifest, digest } = verdict.image;
      return style.paint(
        'good',
        `${manifest.service} ${manifest.version} (${shortDigest(digest)})`,
      );
    }
    case 'vm':
      return 'no image of the pool';
    case 'unknown':
      return style.paint('bad', `unknown: ${verdict.why}`);
  }
}

/** The same for programs. */
export function attestationJson({ host, evidence, broken, judged }: Attestation): unknown {
  return {
    host,
    hostId: evidence?.host ?? '',
    boot: evidence?.boot ?? '',
    head: evidence?.head.digest ?? '',
    headSequence: evidence?.head.sequence ?? 0,
    chainHolds: broken === null,
    broken,
    measurements: judged.map(({ measurement, verdict, replaced }) => ({
      ...measurement,
      time: new Date(milliseconds(measurement.time)).toISOString(),
      verdict: verdict.kind,
      why: verdict.kind === 'unknown' ? verdict.why : '',
      replaced,
      image:
        verdict.kind === 'signed'
          ? {
              service: verdict.image.manifest.service,
              version: verdict.image.manifest.version,
              digest: verdict.image.digest,
              keyId: verdict.image.signer.id,
            }
          : null,
    })),
  };
}
