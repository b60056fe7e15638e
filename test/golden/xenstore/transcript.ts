import { formatPath, type Path } from '../../../services/xenstore/core/path.ts';
import { textOf } from '../../../services/xenstore/core/payload.ts';
import { formatPermission } from '../../../services/xenstore/core/permissions.ts';
import type { Node } from '../../../services/xenstore/core/tree.ts';
import { messageTypes } from '../../../services/xenstore/core/wire.ts';
import { Conversation } from './conversation.ts';

/**
 * Plays a transcript: for each block, commands, `----`, and everything that the core said. Lines that
 * begin with `#` are for people. Connections below 5 are of the control domain, any other is of the
 * domain of its number. In requests and replies `|` stands for NUL. Commands:
 *
 *   store [hypervisor]            a new store, of which a hypervisor says which domains exist
 *   connect CONNECTION...         clients are there
 *   disconnect CONNECTION
 *   introduce DOMAIN...           rings that are there when the daemon starts
 *   exists|shutdown|gone DOMAIN   what the hypervisor says of a domain
 *   mapped TICKET CONNECTION      the adapter has done what INTRODUCE wanted
 *   answer TICKET TEXT            ... what CONTROL wanted
 *   refuse TICKET ERROR           ... has not
 *   taken CONNECTION PACKETS      a client has read so many packets more
 *   reset CONNECTION              a ring was reset
 *   second                        a second has passed
 *   tree                          every node, with its permissions
 *   CONNECTION MESSAGE[@TX] TEXT  a request
 */
export function play(text: string): string {
  const player = new Player();
  const blocks = text.split(/\n\n+/).map((block) => block.trim());
  const played = blocks.filter((block) => block !== '').map((block) => player.block(block));
  return `${played.join('\n\n')}\n`;
}

class Player {
  #talk = new Conversation([]);

  block(block: string): string {
    const before = block.split('\n----')[0] ?? '';
    const commands = before.split('\n').filter((line) => !line.startsWith('#') && line !== '');
    if (commands.length === 0) return before;
    const said = commands.flatMap((command) => this.#run(command));
    return [before, '----', ...(said.length === 0 ? ['nothing'] : said)]
      .map((line) => line.trimEnd())
      .join('\n');
  }

  #run(command: string): readonly string[] {
    const talk = this.#talk;
    const [verb = '', first = '', ...rest] = command.split(' ');
    const number = Number(first);
    switch (verb) {
      case 'store':
        this.#talk = new Conversation([], { hypervisor: first === 'hypervisor' });
        return [];
      case 'connect':
        return [first, ...rest].flatMap((each) => talk.connect(Number(each)));
      case 'disconnect':
        return talk.step({ kind: 'disconnect', connection: number });
      case 'introduce':
        return [first, ...rest].flatMap((each) => talk.introduce(Number(each)));
      case 'exists':
      case 'shutdown':
      case 'gone':
        return talk.step({ kind: `domain-${verb}`, domain: talk.domain(number) });
      case 'mapped':
        return talk.step({
          kind: 'answer',
          ticket: number,
          answer: { kind: 'mapped', connection: Number(rest[0]) },
        });
      case 'answer':
        return talk.step({
          kind: 'answer',
          ticket: number,
          answer: { kind: 'text', text: rest.join(' ') },
        });
      case 'refuse':
        return talk.step({
          kind: 'answer',
          ticket: number,
          answer: { kind: 'refused', error: 'EIO' },
        });
      case 'taken':
        return talk.step({ kind: 'taken', connection: number, packets: Number(rest[0]) });
      case 'reset':
        return talk.step({ kind: 'reset', connection: number });
      case 'second':
        return talk.step({ kind: 'second' });
      case 'tree':
        return treeOf(talk.store.top);
      default: {
        const name = first.split('@')[0] ?? '';
        if (!/^\d+$/.test(verb) || !(name in messageTypes))
          throw new Error(`a transcript has no command "${command}"`);
        return talk.say(Number(verb), first, rest.join(' '));
      }
    }
  }
}

function treeOf(top: Node): readonly string[] {
  const lines: string[] = [];
  const rest: { readonly path: Path; readonly node: Node }[] = [{ path: [], node: top }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { path, node } = next;
    if (path.length > 0) {
      const permissions = node.permissions.map(formatPermission).join(',');
      lines.push(`${formatPath(path)} (${permissions}) ${textOf(node.value)}`);
    }
    for (const name of node.children.names().toReversed()) {
      const child = node.children.get(name);
      if (child !== undefined) rest.push({ path: [...path, name], node: child });
    }
  }
  return lines;
}
