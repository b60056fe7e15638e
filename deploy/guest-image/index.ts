import { fail, ok, type Result } from '../../base/result.ts';
import { BuildFailure, type Report } from '../image/command.ts';
import { type BuiltImage, buildGuestImage, type ImageRequest } from './build.ts';

/** The builder of guest images, for the CLI: what stops a build is a sentence that says what to do. */
export async function buildImage(
  request: ImageRequest,
  report: Report,
): Promise<Result<BuiltImage, string>> {
  try {
    return ok(await buildGuestImage(request, report));
  } catch (error) {
    if (error instanceof BuildFailure) return fail(error.message);
    throw error;
  }
}
