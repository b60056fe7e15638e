import { InvalidArgumentError } from 'commander';
import { hostAndPort } from '../../connection/find-pool.ts';
import { addressOf, type MemberReport } from '../survey.ts';

/** Addresses that one member may have: the bound of a wire message, not of a network. */
const addressesMax = 8;

/** Reads `HOST:PORT,HOST:PORT`; URLs are taken too. Throws what commander expects. */
export function peerAddresses(text: string): readonly string[] {
  const addresses = text.split(',').map(addressOf);
  if (addresses.length > addressesMax || !addresses.every((each) => hostAndPort.test(each)))
    throw new InvalidArgumentError(
      `Write HOST:PORT, such as 10.0.0.4:2380; at most ${addressesMax} of them with commas.`,
    );
  return addresses;
}

/** The URLs of those addresses, with the scheme that the members there are have. */
export function peerUrls(
  addresses: readonly string[],
  members: readonly MemberReport[],
): readonly string[] {
  const isTls = members.some(({ peers }) => peers.some((peer) => peer.startsWith('https:')));
  return addresses.map((address) => `${isTls ? 'https' : 'http'}://${address}`);
}

/** Reads one `HOST:PORT`. Throws what commander expects. */
export function clientAddress(text: string): string {
  const address = addressOf(text);
  if (!hostAndPort.test(address))
    throw new InvalidArgumentError('Write HOST:PORT, such as 10.0.0.4:2379.');
  return address;
}
