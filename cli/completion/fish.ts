import { type CommandNode, nodesOf, type Source } from './tree.ts';

/** The completion script of fish: `flotilla completion fish | source`. */
export function fishScript(tree: CommandNode): string {
  const nodes = nodesOf(tree);
  const valueFlags = nodes.flatMap((node) =>
    node.flags.flatMap((flag) => (flag.value === undefined ? [] : flag.names)),
  );
  return `# Completes flotilla in fish. Made from its command tree by \`flotilla completion fish\`.
function __flotilla_words
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip -eq 1
            set skip 0
        else if contains -- $word ${[...new Set(valueFlags)].join(' ')}
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Whether the words so far are these, and this many more.
function __flotilla_at
    set -l more $argv[1]
    set -l path $argv[2..]
    set -l words (__flotilla_words)
    test (count $words) -eq (math (count $path) + $more); or return 1
    test (count $path) -eq 0; and return 0
    test "$words[1..$(count $path)]" = "$path"
end

# Whether the words begin with these.
function __flotilla_in
    set -l words (__flotilla_words)
    test (count $words) -ge (count $argv); and test "$words[1..$(count $argv)]" = "$argv"
end

function __flotilla_names
    set -l pool
    set -l line (commandline -opc)
    for index in (seq (count $line))
        if contains -- $line[$index] --pool --identity --endpoints
            set -a pool $line[$index] $line[(math $index + 1)]
        end
    end
    flotilla __complete $argv[1] $pool 2>/dev/null
end

complete -c flotilla -f
${nodes.flatMap(linesOf).join('\n')}
`;
}

function linesOf(node: CommandNode): readonly string[] {
  const path = node.path.join(' ');
  const commands = node.commands.map(
    (each) =>
      `complete -c flotilla -n '__flotilla_at 0 ${path}' -a ${each.path.at(-1)} -d '${quoted(each.summary)}'`,
  );
  const flags = node.commands.length > 0 || path === '' ? [] : node.flags.map(flagLine(path));
  const parameters = node.parameters.map(
    (parameter, index) =>
      `complete -c flotilla -n '__flotilla_at ${index} ${path}'${values(parameter)}`,
  );
  return [...commands, ...flags, ...parameters];
}

function flagLine(path: string): (flag: CommandNode['flags'][number]) => string {
  return ({ names, summary, value }) => {
    const spelled = names.map((name) =>
      name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
    );
    const argument = value === undefined ? '' : values(value);
    return `complete -c flotilla -n '__flotilla_in ${path}' ${spelled.join(' ')}${argument} -d '${quoted(summary)}'`;
  };
}

function values(source: Source): string {
  switch (source.kind) {
    case 'names':
      return ` -x -a '(__flotilla_names ${source.of})'`;
    case 'words':
      return ` -x -a '${source.words.join(' ')}'`;
    case 'files':
      return ' -r -F';
    case 'anything':
      return ' -x';
  }
}

function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
