import type { Argument, Command, Option } from 'commander';

/** What can stand in a place of the command line. */
export type Source =
  /** Names that the pool knows: asked for with `flotilla __complete`. */
  | { readonly kind: 'names'; readonly of: NamedKind }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'files' }
  /** Nobody can say: a size, a text. */
  | { readonly kind: 'anything' };

/** Kinds of things whose names the pool completes. */
export const namedKinds = ['vm', 'host', 'operation', 'network', 'member'] as const;
export type NamedKind = (typeof namedKinds)[number];

/** A flag; `value` is undefined where it takes none. */
export interface FlagNode {
  readonly names: readonly string[];
  readonly summary: string;
  readonly value: Source | undefined;
}

/** A command with what may follow it. */
export interface CommandNode {
  /** The words that lead to it, without the program's name: `['vm', 'start']`. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly commands: readonly CommandNode[];
  readonly flags: readonly FlagNode[];
  readonly parameters: readonly Source[];
}

/** The part of a command tree that a shell completes. What is hidden is not in it. */
export function commandTree(command: Command, path: readonly string[] = []): CommandNode {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  return {
    path,
    summary: command.description(),
    commands: commands.map((each) => commandTree(each, [...path, each.name()])),
    flags: help.visibleOptions(command).map(flagNode),
    parameters: command.registeredArguments.map((each) => source(each.name(), each.argChoices)),
  };
}

/** The node and all below it. */
export function nodesOf(node: CommandNode): readonly CommandNode[] {
  return [node, ...node.commands.flatMap(nodesOf)];
}

function flagNode(option: Option): FlagNode {
  const takesValue = option.required || option.optional;
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    summary: firstClause(option.description),
    value: takesValue ? source(valueName(option), option.argChoices) : undefined,
  };
}

function valueName(option: Option): string {
  return /[<[]([a-z]+)/.exec(option.flags)?.[1] ?? '';
}

/** What values are called that are paths. */
const namesOfFiles: ReadonlySet<string> = new Set([
  'path',
  'pool',
  'directory',
  'dir',
  'file',
  'snapshot',
]);

function source(name: string, choices: Argument['argChoices']): Source {
  if (choices !== undefined) return { kind: 'words', words: choices };
  const of = namedKinds.find((kind) => kind === name);
  if (of !== undefined) return { kind: 'names', of };
  if (namesOfFiles.has(name)) return { kind: 'files' };
  return { kind: 'anything' };
}

/** Menus are narrow: what stands before the first colon, semicolon or parenthesis. */
function firstClause(text: string): string {
  return text.split(/[:;(]/)[0]?.trim() ?? '';
}
