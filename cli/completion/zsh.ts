import { type CommandNode, type FlagNode, nodesOf, type Source } from './tree.ts';

/** The completion script of zsh: `source <(flotilla completion zsh)`, or a file `_flotilla` in $fpath. */
export function zshScript(tree: CommandNode): string {
  return `#compdef flotilla
# Completes flotilla in zsh. Made from its command tree by \`flotilla completion zsh\`.
# Its last argument is the kind of names; those before it are compadd's, from _arguments.
_flotilla_names() {
  local -a pool names
  local index
  for ((index = 1; index < \${#_flotilla_line}; index++)); do
    case \${_flotilla_line[index]} in
      --pool|--identity|--endpoints) pool+=("\${_flotilla_line[index]}" "\${_flotilla_line[index + 1]}") ;;
    esac
  done
  names=(\${(f)"$(flotilla __complete $argv[-1] $pool 2>/dev/null)"})
  compadd "\${@[1,-2]}" -a names
}

${nodesOf(tree).map(functionOf).join('\n')}
_flotilla_start() {
  local -a _flotilla_line=($words)
  _flotilla
}
compdef _flotilla_start flotilla
`;
}

function nameOf(node: CommandNode): string {
  return ['_flotilla', ...node.path].join('_').replaceAll('-', '_');
}

function functionOf(node: CommandNode): string {
  return node.commands.length > 0 ? branch(node) : leaf(node);
}

function branch(node: CommandNode): string {
  const described = node.commands.map(
    (each) => `    '${quoted(`${each.path.at(-1)}:${each.summary}`)}'`,
  );
  const cases = node.commands.map((each) => `      ${each.path.at(-1)}) ${nameOf(each)} ;;`);
  return `${nameOf(node)}() {
  local curcontext=$curcontext state
  local -a line commands=(
${described.join('\n')}
  )
  _arguments -C '1: :->command' '*:: :->rest'
  case $state in
    command) _describe -t commands command commands ;;
    rest) case $words[1] in
${cases.join('\n')}
    esac ;;
  esac
}
`;
}

function leaf(node: CommandNode): string {
  const parameters = node.parameters.map(
    (parameter, index) => `'${index + 1}:${what(parameter)}:${action(parameter)}'`,
  );
  const specifications = [...node.flags.flatMap(flag), ...parameters];
  return `${nameOf(node)}() {
  _arguments ${specifications.map((each) => `\\\n    ${each}`).join(' ')}
}
`;
}

function flag({ names, summary, value }: FlagNode): readonly string[] {
  const argument = value === undefined ? '' : `:${what(value)}:${action(value)}`;
  return names.map((name) => `'*${name}[${quoted(summary).replaceAll(/[[\]]/g, '')}]${argument}'`);
}

function what(source: Source): string {
  return source.kind === 'names' ? source.of : source.kind;
}

function action(source: Source): string {
  switch (source.kind) {
    case 'names':
      return `_flotilla_names ${source.of}`;
    case 'words':
      return `(${source.words.join(' ')})`;
    case 'files':
      return '_files';
    case 'anything':
      return ' ';
  }
}

function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}
