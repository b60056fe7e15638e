import { execFile } from 'node:child_process';

/** Output kept of one builder's command; a package listing is some 40 KiB. */
const outputMax = 16 * 2 ** 20;

/** Says what is being built; each call is one line for a person to read. */
export type Report = (line: string) => void;

/** A build that cannot go on for a reason outside this program: a missing tool, a full disk. */
export class BuildFailure extends Error {
  override readonly name = 'BuildFailure';
}

/**
 * Runs a command to its end and returns what it printed. A missing command, or one that ends with
 * another code than 0, is a `BuildFailure` that quotes the end of what it printed.
 */
export function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const environment = {
      ...process.env,
      LC_ALL: 'C',
      PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
    };
    const options = { env: environment, maxBuffer: outputMax };
    execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = `${stdout}${stderr}`.trim().slice(-2000);
      reject(
        new BuildFailure(
          `"${command} ${args.join(' ').slice(0, 200)}" failed: ${said || error.message}`,
        ),
      );
    });
  });
}

/** Quotes a text for a POSIX shell: the shell reads it as one word, whatever it holds. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
