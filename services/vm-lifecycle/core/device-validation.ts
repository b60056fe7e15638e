import { bounds } from '../../../base/bounds.ts';
import { formatBytes } from '../../../base/units.ts';
import { quote, type Violation } from './violation.ts';

/** A disk as CreateVm asks for it: an existing one by name, or a new one of a size. */
export interface DraftDisk {
  readonly vdi: string;
  readonly size: number;
  readonly sr: string;
  readonly readOnly: boolean;
}

/** An interface as CreateVm asks for it; an empty MAC is to be chosen. */
export interface DraftNic {
  readonly network: string;
  readonly mac: string;
}

const macPattern = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** A disk of a new VM, the `index`th. */
export function validateDisk(disk: DraftDisk, index: number): readonly Violation[] {
  const field = `vm.disks[${index}]`;
  if (disk.vdi !== '') {
    const extra: Violation[] = [];
    if (disk.size !== 0)
      extra.push({
        field: `${field}.size`,
        message:
          'a size for a disk that exists; leave the size out, or leave vdi out to make a new disk',
      });
    if (disk.sr !== '')
      extra.push({
        field: `${field}.sr`,
        message:
          'an SR for a disk that exists; leave the SR out, or leave vdi out to make a new disk',
      });
    return extra;
  }
  if (
    Number.isSafeInteger(disk.size) &&
    disk.size >= bounds.vdiSizeMin &&
    disk.size <= bounds.vdiSizeMax
  )
    return [];
  return [
    {
      field: `${field}.size`,
      message: `${disk.size} bytes; from ${formatBytes(bounds.vdiSizeMin)} to ${formatBytes(bounds.vdiSizeMax)} is accepted`,
    },
  ];
}

/** The interfaces of a new VM. */
export function validateNics(nics: readonly DraftNic[]): readonly Violation[] {
  const seen = new Map<string, number>();
  return nics.flatMap((nic, index) => {
    const violations: Violation[] = [];
    const field = `vm.nics[${index}]`;
    if (nic.network === '')
      violations.push({
        field: `${field}.network`,
        message: 'no network is named; give the name or id of one, such as default',
      });
    if (nic.mac === '') return violations;
    const mac = nic.mac.toLowerCase();
    const fault = macFault(mac);
    const earlier = seen.get(mac);
    if (fault !== null) violations.push({ field: `${field}.mac`, message: fault });
    else if (earlier !== undefined)
      violations.push({ field: `${field}.mac`, message: `${mac} is nics[${earlier}]'s as well` });
    seen.set(mac, index);
    return violations;
  });
}

/** What is wrong with a MAC address in lower case, or null. */
function macFault(mac: string): string | null {
  if (!macPattern.test(mac))
    return `${quote(mac)} is not a MAC address; six octets are accepted, such as 00:16:3e:12:34:56`;
  if (mac === '00:00:00:00:00:00') return 'an interface cannot have the address of all zeros';
  // IEEE 802: the lowest bit of the first octet marks group addresses.
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1)
    return `${mac} is a multicast address; the first octet of an interface's is even`;
  return null;
}
