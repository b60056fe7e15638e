import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../base/result.ts';
import { type Bytes, bytes } from '../../base/units.ts';
import { verb } from '../command.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { report } from '../session.ts';
import { unescaped } from './escape.ts';
import { each, pathsOf } from './nodes.ts';
import { didAll, withXenstore, type XenstoreFlags } from './session.ts';

interface WriteFlags extends XenstoreFlags {
  readonly raw?: boolean;
  readonly stdin?: boolean;
}

/** More than this is not read: no node has so large a value. */
const stdinMax: Bytes = bytes(64 * 2 ** 10);

/** `flotilla xenstore write`. */
export function writeCommand(context: Context): Command {
  const summary = 'Write values to nodes, all of them or none; what is missing is made';
  return verb(context, 'xenstore', 'write <node> [value] [more...]', summary)
    .option('-R, --raw', 'a backslash is a backslash, and begins no \\n, \\t, \\r, \\x0a or \\012')
    .option('--stdin', 'the value of the one node is what is read here, byte by byte')
    .addHelpText('after', writeHelp)
    .action(
      async (
        node: string,
        value: string | undefined,
        more: readonly string[],
        flags: WriteFlags,
      ) => {
        const words = value === undefined ? [node] : [node, value, ...more];
        const pairs = await pairsOf(context, words, flags);
        if (!pairs.ok) return report(context, flags.json === true, pairs.error);
        const values = new Map(pairs.value);
        return withXenstore(context, flags, async (session) => {
          const written = await each(session, [...values.keys()], (nodes, path) =>
            nodes.write(path, values.get(path) ?? new Uint8Array(0)),
          );
          return didAll(session, pathsOf(written), exitCodes.done);
        });
      },
    );
}

const writeHelp = `
Several at once:              flotilla xenstore write /a 1 /b 2
What begins with a hyphen:    flotilla xenstore write -- /a -1`;

type Pair = readonly [path: string, value: Uint8Array];

async function pairsOf(
  { stdin }: Context,
  words: readonly string[],
  { raw, stdin: fromStdin }: WriteFlags,
): Promise<Result<readonly Pair[], Problem>> {
  const [first = '', ...others] = words;
  if (fromStdin === true) {
    if (others.length > 0)
      return fail(wrongUsage('--stdin has the value of one node', 'name that node alone'));
    const value = await allOf(stdin.stream);
    return value.ok ? ok([[first, value.value]]) : value;
  }
  if (words.length % 2 === 1)
    return fail(
      wrongUsage(`${words.at(-1)} has no value`, 'write a value after each path, or use --stdin'),
    );
  const pairs: Pair[] = [];
  for (let at = 0; at < words.length; at += 2) {
    const text = words[at + 1] ?? '';
    const value = raw === true ? ok(Buffer.from(text)) : unescaped(text);
    if (!value.ok)
      return fail(
        wrongUsage(
          `${value.error} in "${text}" is no escape`,
          'write \\\\ for a backslash, or give --raw',
        ),
      );
    pairs.push([words[at] ?? '', value.value]);
  }
  return ok(pairs);
}

async function allOf(stream: Readable): Promise<Result<Uint8Array, Problem>> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of stream) {
    parts.push(Buffer.from(part));
    size += part.length;
    if (size > stdinMax)
      return fail(
        wrongUsage(
          `what is read is more than ${stdinMax} bytes`,
          'a node has at most 4096 with its path: spread it over several',
        ),
      );
  }
  return ok(Buffer.concat(parts));
}
