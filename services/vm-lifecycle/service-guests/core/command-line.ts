/** What a guest is told at its start, beside what its image's manifest says. */
export interface GuestWords {
  readonly address: string | undefined;
  readonly gateway: string | undefined;
  /** The bridge that the guest makes, of its first interface. */
  readonly bridge: string | undefined;
  readonly hasData: boolean;
  readonly hasSeed: boolean;
}

/** The names of the guest's disks. */
export const dataDevice = 'xvda';
export const seedDevice = 'xvdb';

/** The host's words for the kernel's command line; the manifest's come before them. */
export function hostWords(words: GuestWords): string {
  return [
    ...(words.address === undefined ? [] : [`flotilla.address=${words.address}`]),
    ...(words.gateway === undefined ? [] : [`flotilla.gateway=${words.gateway}`]),
    ...(words.bridge === undefined ? [] : [`flotilla.bridge=${words.bridge}`]),
    ...(words.hasData ? [`flotilla.data=${dataDevice}`] : []),
    ...(words.hasSeed ? [`flotilla.seed=${seedDevice}`] : []),
  ].join(' ');
}
