import { fail, ok, type Result } from '../../base/result.ts';
import { BuildFailure, type Report } from '../image/command.ts';
import { type BuiltHost, buildHostFiles, type HostRequest } from './build.ts';

/** The builder of host images, for the CLI: what stops a build is a sentence that says what to do. */
export async function buildHost(
  request: HostRequest,
  report: Report,
): Promise<Result<BuiltHost, string>> {
  try {
    return ok(await buildHostFiles(request, report));
  } catch (error) {
    if (error instanceof BuildFailure) return fail(error.message);
    throw error;
  }
}
