import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { type HostEvidence, judge, verifyEvidence } from '../../pool/images/attestation.ts';
import type { ImageKey } from '../../pool/images/keys.ts';
import type { TrustedManifest } from '../../pool/images/trust.ts';
import { verb } from '../command.ts';
import { hostNames } from '../connection/names.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { allKeys } from '../image/key/list.ts';
import { allImages } from '../image/list.ts';
import { readKeyFile } from '../image/verify.ts';
import type { Problem } from '../problem.ts';
import { type PoolFlags, type Session, withPool } from '../session.ts';
import { evidenceOf, keysOf, trustedOf } from './evidence.ts';
import { type Attestation, attestationJson, attestationLines } from './show.ts';

interface AttestFlags extends PoolFlags {
  readonly key?: readonly string[];
}

/** `flotilla host attest`. */
export function attestCommand(context: Context): Command {
  const summary = 'Check that what the guests of a host booted is what was built and signed';
  return verb(context, 'host', 'attest [host]', summary)
    .option(
      '--key <file>',
      'believe this public key (PEM), and not those that the pool trusts; may be repeated',
      (file: string, before: readonly string[] = []) => [...before, file],
    )
    .action((host: string | undefined, flags: AttestFlags) =>
      withPool(context, flags, (session) => attest(session, host, flags)),
    );
}

async function attest(
  session: Session,
  host: string | undefined,
  flags: AttestFlags,
): Promise<Result<ExitCode, Problem>> {
  const trusted = await trustedManifests(session, flags.key);
  if (!trusted.ok) return trusted;
  const hosts = host === undefined ? (await hostNames(session.pool)).toSorted() : [host];
  const found: Attestation[] = [];
  for (const name of hosts) {
    const evidence = await evidenceOf(session.pool, name);
    if (!evidence.ok) return evidence;
    found.push(attestationOf(name, evidence.value, trusted.value));
  }
  session.answer(
    found.map(attestationJson),
    found.flatMap((each) => attestationLines(each, session.style)),
  );
  const problem = problemOf(found);
  return problem === null ? ok(exitCodes.done) : fail(problem);
}

async function trustedManifests(
  session: Session,
  files: readonly string[] | undefined,
): Promise<Result<readonly TrustedManifest[], Problem>> {
  const images = await allImages(session.pool);
  if (!images.ok) return images;
  const keys = files === undefined ? await poolKeys(session) : await fileKeys(session, files);
  return keys.ok ? ok(trustedOf(images.value, keys.value)) : keys;
}

async function poolKeys(session: Session): Promise<Result<readonly ImageKey[], Problem>> {
  const keys = await allKeys(session.pool);
  return keys.ok ? ok(keysOf(keys.value)) : keys;
}

async function fileKeys(
  { context }: Session,
  files: readonly string[],
): Promise<Result<readonly ImageKey[], Problem>> {
  const keys: ImageKey[] = [];
  for (const file of files) {
    const key = await readKeyFile(context.directory, file);
    if (!key.ok) return key;
    keys.push(key.value);
  }
  return ok(keys);
}

function attestationOf(
  host: string,
  evidence: HostEvidence | null,
  trusted: readonly TrustedManifest[],
): Attestation {
  if (evidence === null) return { host, evidence, broken: null, judged: [] };
  const verified = verifyEvidence(evidence);
  const judged = judge(evidence.measurements, trusted);
  return { host, evidence, broken: verified.ok ? null : verified.error, judged };
}

/** A chain that does not hold is worse than an image that nobody knows: it proves nothing at all. */
function problemOf(found: readonly Attestation[]): Problem | null {
  const details = found.flatMap(({ host, broken, judged }) => {
    if (broken !== null) return [`${host}: measurement ${broken.sequence} ${broken.why}`];
    return judged.flatMap(({ measurement, verdict, replaced }) =>
      verdict.kind === 'unknown' && !replaced
        ? [`${host}: ${measurement.domain.name} (${measurement.service}): ${verdict.why}`]
        : [],
    );
  });
  if (details.length === 0) return null;
  const broken = found.some((each) => each.broken !== null);
  return {
    exitCode: exitCodes.failed,
    message: broken
      ? 'measurements were changed, or some are missing'
      : 'a service runs what no signed manifest names',
    details,
    remedy: broken
      ? 'keep the measurement log of the host (measurements/ in the data directory of its vm-lifecycle service), find out who changed it, and restart the host'
      : 'publish the image if you know it (`flotilla image publish`), else put a signed one on the host and restart the service',
    reason: 'IMAGE',
  };
}
