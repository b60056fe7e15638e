import { type CommandNode, nodesOf, type Source } from './tree.ts';

/** The completion script of bash, 4 or later: `source <(flotilla completion bash)`. */
export function bashScript(tree: CommandNode): string {
  const nodes = nodesOf(tree);
  return `# Completes flotilla in bash. Made from its command tree by \`flotilla completion bash\`.
_flotilla_names() {
  local index
  local -a pool=()
  for ((index = 1; index < COMP_CWORD - 1; index++)); do
    case \${COMP_WORDS[index]} in
      --pool | --identity | --endpoints) pool+=("\${COMP_WORDS[index]}" "\${COMP_WORDS[index + 1]}") ;;
    esac
  done
  flotilla __complete "$1" "\${pool[@]}" 2>/dev/null
}

_flotilla() {
  local current=\${COMP_WORDS[COMP_CWORD]} path='' words='' source='' index position=0
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$path \${COMP_WORDS[index]}" in
${nodes.flatMap(valueFlagCases).join('\n')}
${nodes.filter(hasPath).map(pathCase).join('\n')}
      *' '-*) ;;
      *) position=$((position + 1)) ;;
    esac
  done
  if [[ -z $source ]]; then
    case "$path $position" in
${nodes.flatMap(positionCases).join('\n')}
    esac
    if [[ $current == -* || -z $source ]]; then
      source=words
      case $path in
${nodes.map(wordsCase).join('\n')}
      esac
    fi
  fi
  case $source in
    names:*) mapfile -t COMPREPLY < <(compgen -W "$(_flotilla_names "\${source#names:}")" -- "$current") ;;
    words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
    words:*) mapfile -t COMPREPLY < <(compgen -W "\${source#words:}" -- "$current") ;;
    files)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      ;;
  esac
}
complete -F _flotilla flotilla
`;
}

function hasPath(node: CommandNode): boolean {
  return node.path.length > 0;
}

/** The path of a node as the script keeps it: each word after a space. */
function key(node: CommandNode): string {
  return node.path.map((word) => ` ${word}`).join('');
}

/** A flag that takes a value makes the next word that value: it is completed if it is the last one. */
function valueFlagCases(node: CommandNode): readonly string[] {
  return node.flags.flatMap(({ names, value }) =>
    value === undefined
      ? []
      : names.map(
          (name) =>
            `      '${key(node)} ${name}') index=$((index + 1)); ((index < COMP_CWORD)) || source='${word(value)}' ;;`,
        ),
  );
}

function pathCase(node: CommandNode): string {
  return `      '${key(node)}') path='${key(node)}' ;;`;
}

function positionCases(node: CommandNode): readonly string[] {
  return node.parameters.map(
    (parameter, position) => `      '${key(node)} ${position}') source='${word(parameter)}' ;;`,
  );
}

function wordsCase(node: CommandNode): string {
  const names = node.commands.map((each) => each.path.at(-1));
  const flags = node.flags.flatMap((flag) => flag.names.filter((name) => name.startsWith('--')));
  const words = node.commands.length > 0 ? names : flags;
  return `        '${key(node)}') words='${words.join(' ')}' ;;`;
}

function word(source: Source): string {
  switch (source.kind) {
    case 'names':
      return `names:${source.of}`;
    case 'words':
      return `words:${source.words.join(' ')}`;
    case 'files':
      return 'files';
    case 'anything':
      return 'nothing';
  }
}
