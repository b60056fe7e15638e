import { isLoopback } from '../../../base/loopback.ts';

/** Most addresses of one member, and the length of each: what a configuration can hold. */
const urlsMax = 16;
const urlLengthMax = 255;

const hostAndPort = /^(?:\[[0-9a-fA-F:]+\]|[^:[\]/\s?#@]+):(\d{1,5})$/;

/**
 * The HOST:PORT of each URL (`http://HOST:PORT`), as etcd's users write the addresses of members;
 * null if one is no such URL, has the other scheme, or comes twice. Plain text (`http`) stays on this
 * machine.
 */
export function parsePeerUrls(
  urls: readonly string[],
  scheme: 'http' | 'https',
): readonly string[] | null {
  if (urls.length === 0 || urls.length > urlsMax) return null;
  const addresses: string[] = [];
  for (const url of urls) {
    const prefix = `${scheme}://`;
    if (url.length > urlLengthMax || !url.startsWith(prefix)) return null;
    const address = url.slice(prefix.length).replace(/\/$/, '');
    const port = Number(hostAndPort.exec(address)?.[1] ?? 0);
    if (port < 1 || port > 65_535 || addresses.includes(address)) return null;
    if (scheme === 'http' && !isLoopback(address)) return null;
    addresses.push(address);
  }
  return addresses;
}
