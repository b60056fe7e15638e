import { bounds } from '../../../../base/bounds.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';

/** What a guest is told at its start, beside what its image's manifest says. */
export interface GuestWords {
  readonly address: string | undefined;
  readonly gateway: string | undefined;
  readonly hasData: boolean;
  readonly hasSeed: boolean;
}

/** The names of the guest's disks. */
export const dataDevice = 'xvda';
export const seedDevice = 'xvdb';

/**
 * The kernel's command line: the manifest's, then the host's words. The failure is a sentence: a word
 * that the manifest has already would be given twice, and which one counts would be init's choice.
 */
export function guestCommandLine(manifest: string, words: GuestWords): Result<string, string> {
  const own = [
    ...(words.address === undefined ? [] : [`flotilla.address=${words.address}`]),
    ...(words.gateway === undefined ? [] : [`flotilla.gateway=${words.gateway}`]),
    ...(words.hasData ? [`flotilla.data=${dataDevice}`] : []),
    ...(words.hasSeed ? [`flotilla.seed=${seedDevice}`] : []),
  ];
  const signed = manifest.split(/\s+/).filter((word) => word !== '');
  for (const word of own) {
    const name = word.slice(0, word.indexOf('=') + 1);
    if (signed.some((other) => other.startsWith(name)))
      return fail(`the image's manifest has the kernel word ${name} already`);
  }
  const line = [...signed, ...own].join(' ');
  return line.length <= bounds.kernelCommandLine
    ? ok(line)
    : fail(`the kernel's command line has ${line.length} characters, and may have 4096`);
}
