import type { Command } from 'commander';
import { group, noun } from '../command.ts';
import { type Context, processContext } from '../context.ts';
import { alarmsCommand } from './alarms.ts';
import { compactCommand } from './compact.ts';
import { defragmentCommand } from './defragment.ts';
import { addCommand } from './member/add.ts';
import { promoteCommand } from './member/promote.ts';
import { removeCommand } from './member/remove.ts';
import { updateCommand } from './member/update.ts';
import { membersCommand } from './members.ts';
import { moveLeaderCommand } from './move-leader.ts';
import { admitCommand } from './rights/admit.ts';
import { listCommand } from './rights/list.ts';
import type { DescribeSnapshot } from './snapshot/content.ts';
import { saveCommand } from './snapshot/save.ts';
import { showCommand } from './snapshot/show.ts';
import { statusCommand } from './status.ts';

/** What the built-in database itself knows; the CLI talks to it by its API alone. */
export interface DatabaseParts {
  readonly describeSnapshot: DescribeSnapshot;
  /** The command that makes members of a saved database, where no pool runs. */
  readonly restore: Command;
}

/** `flotilla pool`: the pool as a whole, and its database. */
export function poolCommand(parts: DatabaseParts, context: Context = processContext()): Command {
  const member = group(context, 'pool', 'member', 'Change who the members of the database are', [
    addCommand(context),
    removeCommand(context),
    promoteCommand(context),
    updateCommand(context),
  ]);
  const rights = group(context, 'pool', 'rights', 'Look at who may do what in the pool database', [
    listCommand(context),
    admitCommand(context),
  ]);
  const snapshot = group(context, 'pool', 'snapshot', 'Save the pool database, and bring it back', [
    saveCommand(context, parts.describeSnapshot),
  ])
    .addCommand(showCommand(context, parts.describeSnapshot))
    .addCommand(parts.restore);
  return noun(context, 'pool', 'Look at the pool as a whole, and after its database', [
    statusCommand(context),
    membersCommand(context),
    moveLeaderCommand(context),
    alarmsCommand(context),
    compactCommand(context),
    defragmentCommand(context),
  ])
    .addCommand(member)
    .addCommand(rights)
    .addCommand(snapshot);
}
