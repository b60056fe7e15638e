import type { Command } from 'commander';
import { noun } from '../command.ts';
import { type Context, processContext } from '../context.ts';
import { consoleCommand } from './console.ts';
import { createCommand } from './create.ts';
import { listCommand, watchCommand } from './list.ts';
import {
  deleteCommand,
  destroyCommand,
  rebootCommand,
  shutdownCommand,
  startCommand,
} from './power.ts';
import { showCommand } from './show.ts';

/** `flotilla vm`: everything about VMs. */
export function vmCommand(context: Context = processContext()): Command {
  const verbs = [
    createCommand,
    listCommand,
    showCommand,
    startCommand,
    shutdownCommand,
    rebootCommand,
    destroyCommand,
    deleteCommand,
    consoleCommand,
    watchCommand,
  ].map((make) => make(context));
  return noun(context, 'vm', 'Make, run and look at VMs', verbs);
}
