import { fail, ok, type Result } from '../base/result.ts';
import type { Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { type Problem, wrongUsage } from './problem.ts';

/** An answer longer than this is none. */
const answerLengthMax = 1024;

/**
 * Asks on the terminal before something is lost. Where nobody can be asked, it is wrong usage: a
 * script says `--yes`.
 */
export async function confirm(context: Context, question: string): Promise<Result<void, Problem>> {
  if (!context.stdin.isTty || !context.stderr.isTty)
    return fail(
      wrongUsage('this needs a confirmation, and there is no terminal to ask on', 'add --yes'),
    );
  context.stderr.write(`${question} [y/N] `);
  const answer = await readLine(context);
  if (/^y(es)?$/i.test(answer.trim())) return ok(undefined);
  return fail({
    exitCode: exitCodes.failed,
    message: 'not confirmed: nothing was changed',
    remedy: '',
  });
}

function readLine({ stdin: { stream } }: Context): Promise<string> {
  return new Promise((resolve) => {
    let line = '';
    const settle = (): void => {
      stream.off('data', onData).off('end', settle).pause();
      resolve(line);
    };
    const onData = (chunk: Buffer | string): void => {
      line += chunk.toString();
      if (line.includes('\n') || line.length > answerLengthMax) settle();
    };
    stream.on('data', onData).on('end', settle).resume();
  });
}
