import { fail, ok, type Result } from '../../base/result.ts';
import type { ServiceName } from '../../pool/records/host.ts';
import { BuildFailure, type Report } from '../image/command.ts';
import { type BuiltImage, buildGuestImage, type ImageRequest } from './build.ts';
import { type GuestServiceName, guestServices } from './services.ts';

/** The builder of guest images, for the CLI: what stops a build is a sentence that says what to do. */
export async function buildImage(
  request: Omit<ImageRequest, 'service'> & { readonly service: ServiceName },
  report: Report,
): Promise<Result<BuiltImage, string>> {
  const { service } = request;
  if (!hasImage(service)) return fail(`${service} has no guest image yet; run it as a process`);
  try {
    return ok(await buildGuestImage({ ...request, service }, report));
  } catch (error) {
    if (error instanceof BuildFailure) return fail(error.message);
    throw error;
  }
}

function hasImage(service: ServiceName): service is GuestServiceName {
  return service in guestServices;
}
