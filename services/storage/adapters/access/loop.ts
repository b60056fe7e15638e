import { dirname } from 'node:path';
import type { LoopDevice } from '../../../../base/loop-devices.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import { milliseconds } from '../../../../base/units.ts';
import type { Clock } from '../../../../pool/clock.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { deviceNumber } from './device-number.ts';
import type { DiskAccess } from './disk-access.ts';
import { attachLoop, detachLoop, loopDevices } from './losetup.ts';

/**
 * How long to wait for a backend to let go of a device: blkback closes it within moments of its
 * domain's end. It stays below the 30 s that a call has by default.
 */
const patience = milliseconds(20_000);

/** How long to wait between two looks: at first, and at most. */
const firstLook = 5;
const lastLook = 200;

/**
 * For Xen: blkback opens block devices, so an image becomes a loop device. Which device it is, the
 * kernel knows; nothing else is kept, so nothing can disagree with it after a crash.
 */
export function loopAccess(clock: Clock): DiskAccess {
  const close = async (image: string): Promise<Result<void, Failure>> => {
    const until = clock.now() + patience;
    for (let wait = firstLook; ; wait = Math.min(lastLook, 2 * wait)) {
      const devices = await loopDevices(image);
      if (!devices.ok) return devices;
      const [first] = devices.value;
      if (first === undefined) return ok(undefined);
      const done = await takeDown(devices.value);
      // A device may have gone by itself in between, so a refusal counts only at the end.
      if (clock.now() >= until) return done.ok ? fail(stillOpen(image, first)) : done;
      await clock.sleep(milliseconds(wait));
    }
  };

  /** The one loop device that shows the image in the wanted mode. */
  const show = async (image: string, readOnly: boolean): Promise<Result<string, Failure>> => {
    const devices = await loopDevices(image);
    if (!devices.ok) return devices;
    const [device, ...more] = devices.value;
    if (device === undefined) return attachLoop(image, readOnly);
    const fits = more.length === 0 && device.readOnly === readOnly && !device.leaving;
    if (fits) return ok(device.name);
    // An earlier claim had it otherwise, or is still letting go.
    const closed = await close(image);
    return closed.ok ? attachLoop(image, readOnly) : closed;
  };

  return {
    close,
    open: async (image, readOnly) => {
      const path = await show(image, readOnly);
      if (!path.ok) return path;
      const device = await deviceNumber(path.value);
      return device.ok ? ok({ path: path.value, device: device.value }) : device;
    },
    list: async (directory) => {
      const devices = await loopDevices();
      if (!devices.ok) return devices;
      return ok(
        devices.value.flatMap(({ name, file }) =>
          file !== null && dirname(file) === directory ? [{ image: file, device: name }] : [],
        ),
      );
    },
  };
}

/** Asks the kernel to take devices down; one that is leaving has been asked before. */
async function takeDown(devices: readonly LoopDevice[]): Promise<Result<void, Failure>> {
  for (const device of devices) {
    const done = device.leaving ? ok(undefined) : await detachLoop(device.name);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

function stillOpen(image: string, device: LoopDevice): Failure {
  return {
    reason: 'BUSY',
    message: `${device.name} of ${image} is still open ${patience / 1000} s after it was to be closed`,
    remedy: `See who has it open with: fuser ${device.name}; or destroy the domain that uses it.`,
  };
}
