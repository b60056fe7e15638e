import type { Command } from 'commander';
import { noun } from '../command.ts';
import { type Context, processContext } from '../context.ts';
import { keygenCommand } from './keygen.ts';
import { signCommand } from './sign.ts';
import { verifyCommand } from './verify.ts';

/** `flotilla image`: guest images, from their build to what the pool trusts. */
export function imageCommand(context: Context = processContext()): Command {
  return noun(context, 'image', 'Build and sign guest images, and say which the pool trusts', [])
    .addCommand(keygenCommand(context))
    .addCommand(signCommand(context))
    .addCommand(verifyCommand(context));
}
