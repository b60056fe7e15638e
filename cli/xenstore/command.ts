import type { Command } from 'commander';
import { noun } from '../command.ts';
import { type Context, processContext } from '../context.ts';
import { chmodCommand } from './chmod.ts';
import { controlCommand } from './control.ts';
import { lsCommand } from './ls.ts';
import { existsCommand, listCommand, mkdirCommand, readCommand } from './nodes.ts';
import { permsCommand } from './perms.ts';
import { rmCommand } from './rm.ts';
import { theXenstored } from './session.ts';
import { watchCommand } from './watch.ts';
import { writeCommand } from './write.ts';

/** `flotilla xenstore`: what Xen's own xenstore commands do, on this machine or on a host of a pool. */
export function xenstoreCommand(context: Context = processContext()): Command {
  const verbs = [
    lsCommand,
    listCommand,
    readCommand,
    writeCommand,
    mkdirCommand,
    rmCommand,
    existsCommand,
    permsCommand,
    chmodCommand,
    watchCommand,
    controlCommand,
  ].map((make) => make(context));
  const summary = 'Look at the xenstore of a host, and change it';
  return noun(context, 'xenstore', summary, verbs, theXenstored);
}
