import { logIndex, memberId } from '../../../consensus/core/ids.ts';
import type { Message } from '../../../consensus/core/message.ts';
import { CorePool } from './core-pool.ts';
import { renderState, renderStep } from './render.ts';

/**
 * Plays a transcript: for each block, a command, `----`, and everything that the cores said. Lines
 * that begin with `#` are for people. Commands:
 *
 *   members N [trailing T]      a new pool
 *   tick ID MS [JITTER]         time passes for a member
 *   propose ID TEXT...          one proposal for each text
 *   read ID NUMBER              a read at a member
 *   deliver [FROM>TO...]        what is on its way now arrives; only between these, if named
 *   drop [FROM>TO...]           ... is lost
 *   persist ID [COUNT]          writes become durable
 *   settle [FROM>TO...]         deliver and persist until nothing is left
 *   elect ID                    ID becomes the leader, with everybody's help; says nothing
 *   snapshot ID                 a member has made a snapshot of what it has applied
 *   restart ID                  from what is durable
 *   transfer ID TO              hand the leadership over
 *   add ID MEMBER [learner]     asks ID for a new member, which may stay a learner
 *   promote ID MEMBER           ... for a vote of a learner
 *   remove ID MEMBER            ... for the removal of a member
 *   join MEMBER                 a member that was added starts, with nothing
 *   unreachable ID MEMBER       messages to MEMBER get lost
 *   missing ID MEMBER INDEX     the snapshot that is being sent to MEMBER is gone
 *   show                        where everybody stands
 */
export function play(text: string): string {
  const player = new Player();
  const blocks = text.split(/\n\n+/).map((block) => block.trim());
  const played = blocks.filter((block) => block !== '').map((block) => player.block(block));
  return `${played.join('\n\n')}\n`;
}

class Player {
  #pool = new CorePool(1);
  #said: string[] = [];

  block(block: string): string {
    const before = block.split('\n----')[0] ?? '';
    const lines = before.split('\n');
    this.#said = [];
    const commands = lines.filter((line) => !line.startsWith('#') && line !== '');
    if (commands.length === 0) return before;
    for (const command of commands) this.#run(command.split(/\s+/));
    return [before, '----', ...(this.#said.length === 0 ? ['nothing'] : this.#said)].join('\n');
  }

  #run([command = '', ...words]: readonly string[]): void {
    const pool = this.#pool;
    const id = Number(words[0]);
    const second = Number(words[1]);
    switch (command) {
      case 'members':
        this.#pool = new CorePool(
          id,
          words[1] === 'trailing' ? { trailingEntries: Number(words[2]) } : {},
          (raft, outputs) => this.#said.push(...renderStep(raft, outputs)),
        );
        return;
      case 'tick':
        pool.tick(id, second, Number(words[2] ?? 0));
        return;
      case 'propose':
        pool.propose(id, ...words.slice(1));
        return;
      case 'read':
        pool.step(id, { kind: 'read', id: second });
        return;
      case 'deliver':
        pool.deliver(between(words));
        return;
      case 'drop':
        pool.drop(between(words));
        return;
      case 'persist':
        pool.persist(id, words[1] === undefined ? undefined : second);
        return;
      case 'settle':
        pool.settle(between(words));
        return;
      case 'elect':
        pool.elect(id);
        this.#said = [];
        return;
      case 'snapshot':
        pool.snapshot(id);
        return;
      case 'restart':
        pool.restart(memberId(id));
        return;
      case 'transfer':
        pool.step(id, { kind: 'transfer', to: memberId(second) });
        return;
      case 'add':
        pool.change(id, {
          kind: 'add',
          member: memberId(second),
          peers: [`host${second}:1`],
          staysLearner: words[2] === 'learner',
        });
        return;
      case 'promote':
      case 'remove':
        pool.change(id, { kind: command, member: memberId(second) });
        return;
      case 'join':
        pool.join(id);
        return;
      case 'unreachable':
        pool.step(id, { kind: 'unreachable', member: memberId(second) });
        return;
      case 'missing':
        pool.step(id, {
          kind: 'chunk-missing',
          to: memberId(second),
          index: logIndex(Number(words[2])),
        });
        return;
      case 'show':
        for (const raft of pool.rafts.values()) this.#said.push(renderState(raft));
        return;
      default:
        throw new Error(`a transcript has no command "${command}"`);
    }
  }
}

function between(pairs: readonly string[]): (message: Message) => boolean {
  if (pairs.length === 0) return () => true;
  return ({ from, to }) => pairs.includes(`${from}>${to}`);
}
