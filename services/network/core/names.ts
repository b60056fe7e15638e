import { fail, ok, type Result } from '../../../base/result.ts';

/** Linux's IFNAMSIZ is 16 with the final zero: include/uapi/linux/if.h. */
const interfaceNameLength = 15;

/** What an interface's MTU is when nobody says, and what may be said: Ethernet, and jumbo frames. */
export const mtuDefault = 1500;
export const mtuMin = 68;
export const mtuMax = 9216;

/** Names that a bridge of ours must not take: other interfaces of a host have them. */
const reserved = /^(lo|eth\d.*|en[opsx]\d.*|vif\d.*|tap.*|bond\d.*|wl.*)$/;

/** The name of the bridge of a network whose creator chose none: the id's first digits tell it. */
export function bridgeNameOf(networkId: string): string {
  return `fl-${networkId.replaceAll('-', '').slice(0, 12)}`;
}

/** Whether a name can be a bridge's. The failure is a sentence that says why not. */
export function checkBridgeName(name: string): Result<string, string> {
  if (name.length > interfaceNameLength)
    return fail(`it has ${name.length} characters, and Linux allows ${interfaceNameLength}`);
  if (!/^[a-z][a-z0-9.-]*$/.test(name))
    return fail('it is not a letter of a to z, followed by a to z, 0 to 9, dots and hyphens');
  if (reserved.test(name)) return fail('interfaces of another kind have such names');
  return ok(name);
}

/** The MTU for what a request says; 0 is the default. The failure is a sentence. */
export function mtuFor(requested: number): Result<number, string> {
  if (requested === 0) return ok(mtuDefault);
  if (Number.isInteger(requested) && requested >= mtuMin && requested <= mtuMax)
    return ok(requested);
  return fail(`${requested} is not a whole number from ${mtuMin} to ${mtuMax}`);
}

/**
 * Whether a name is that of the backend's interface of a VM's NIC with this index: `vif3.0` for
 * domain 3, or an emulated one's `vif3.0-emu`. Nothing else is ever handed to the kernel: whoever
 * plugs cannot reach the host's own interfaces.
 */
export function isBackendInterface(name: string, index: number): boolean {
  const match = /^vif(?:0|[1-9]\d{0,4})\.(0|[1-9]\d{0,2})(?:-emu)?$/.exec(name);
  return match !== null && name.length <= interfaceNameLength && Number(match[1]) === index;
}
