import { fail, ok, type Result } from '../../base/result.ts';
import type { Failure } from '../failure.ts';
import type { ServiceName } from '../records/host.ts';
import { difference, type FoundFile } from './differences.ts';
import type { Architecture } from './manifest.ts';
import { imageFailure, type TrustedManifest } from './trust.ts';

/**
 * Words that a host may add to an image's command line: what differs from host to host, and no word
 * that changes which program runs. The image's own words come first.
 */
export const hostWordNames = [
  'flotilla.address',
  'flotilla.bridge',
  'flotilla.gateway',
  'flotilla.data',
  // Its init kills the service so often: how a restart is tried out.
  'flotilla.kill',
  'flotilla.log',
  'flotilla.memory',
  'flotilla.seed',
] as const;

/** What the tool that builds a xenstore domain adds by itself: the event channel of domain 0. */
const eventWord = /^--event \d{1,10}$/;

/** A guest that a host is about to start. */
export interface GuestToStart {
  readonly host: string;
  /** Where its files were found, for people. */
  readonly directory: string;
  readonly service: ServiceName;
  readonly architecture: Architecture;
  /** The files as they would be booted; null: there is none. */
  readonly kernel: FoundFile | null;
  readonly initramfs: FoundFile | null;
  /** What the host adds to the command line, or empty. */
  readonly hostWords: string;
}

/**
 * Decides whether a guest is the one that a trusted manifest describes. The command line is then the
 * manifest's, with the host's words after it. The failure says what differs, and how.
 */
export function admitGuest(
  { manifest }: TrustedManifest,
  guest: GuestToStart,
): Result<{ readonly commandLine: string }, Failure> {
  const { host, directory, service, architecture, kernel, initramfs, hostWords } = guest;
  const what = `the ${service} guest of ${host} does not start`;
  if (manifest.service !== service)
    return fail(
      imageFailure(
        `${what}: ${directory} holds the image of the ${manifest.service} service`,
        `Put the image of ${service} there: flotilla image build ${service}.`,
      ),
    );
  if (manifest.architecture !== architecture)
    return fail(
      imageFailure(
        `${what}: the image in ${directory} is for ${manifest.architecture}, and the host is ${architecture}`,
        `Put one for ${architecture} there: flotilla image build ${service} --arch ${architecture}.`,
      ),
    );
  const differences = [
    difference({ role: 'kernel', ...manifest.kernel }, kernel),
    difference({ role: 'initramfs', ...manifest.initramfs }, initramfs),
  ].filter((each) => each !== null);
  if (differences.length > 0)
    return fail(
      imageFailure(
        `${what}: in ${directory} ${differences.join('; ')}`,
        'Copy the image to the host again and check it with flotilla image verify. If it was built anew, sign and publish it: flotilla image sign, flotilla image publish.',
      ),
    );
  const strange = strangeWord(hostWords);
  if (strange !== null)
    return fail(
      imageFailure(
        `${what}: its host may not add "${strange}" to the kernel's command line`,
        `A host adds ${hostWordNames.join(', ')}; all else is a part of the image.`,
      ),
    );
  return ok({ commandLine: joined(manifest.commandLine, hostWords) });
}

/** A command line, with a host's words after it. */
export function joined(commandLine: string, hostWords: string): string {
  return [commandLine, hostWords].filter((words) => words !== '').join(' ');
}

/** The first word that a host may not add; null where there is none. */
function strangeWord(hostWords: string): string | null {
  if (hostWords === '') return null;
  const event = hostWords.match(/ ?(--event .*)$/)?.[1];
  if (event !== undefined && !eventWord.test(event)) return event;
  const words = (event === undefined ? hostWords : hostWords.slice(0, -event.length)).split(' ');
  const strange = words.find((word) => word !== '' && !isHostWord(word));
  return strange ?? null;
}

function isHostWord(word: string): boolean {
  const at = word.indexOf('=');
  const [name, value] = [word.slice(0, at), word.slice(at + 1)];
  return hostWordNames.some((known) => known === name) && /^[A-Za-z0-9:.,/_+=-]*$/.test(value);
}
