import type { Command } from 'commander';
import { group, noun } from '../command.ts';
import { type Context, processContext } from '../context.ts';

import { type BuildImage, buildCommand } from './build.ts';
import { deleteCommand } from './delete.ts';
import { distrustCommand } from './key/distrust.ts';
import { listKeysCommand } from './key/list.ts';
import { trustCommand } from './key/trust.ts';
import { keygenCommand } from './keygen.ts';
import { listCommand } from './list.ts';
import { publishCommand } from './publish.ts';
import { signCommand } from './sign.ts';
import { verifyCommand } from './verify.ts';

/** `flotilla image`: guest images, from their build, which is `build`'s, to what the pool trusts. */
export function imageCommand(build: BuildImage, context: Context = processContext()): Command {
  const key = group(context, 'image', 'key', 'Say whose signatures of images the pool believes', [
    listKeysCommand(context),
    trustCommand(context),
    distrustCommand(context),
  ]);
  const ofPool = [publishCommand(context), listCommand(context), deleteCommand(context)];
  return noun(
    context,
    'image',
    'Build and sign guest images, and say which the pool trusts',
    ofPool,
  )
    .addCommand(buildCommand(build, context))
    .addCommand(keygenCommand(context))
    .addCommand(signCommand(context))
    .addCommand(verifyCommand(context))
    .addCommand(key);
}
