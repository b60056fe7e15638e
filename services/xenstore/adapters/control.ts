import { join } from 'node:path';
import { fail, ok, type Result } from '../../../base/result.ts';
import type { XenstoreError } from '../core/error.ts';
import type { Control } from './daemon/options.ts';
import { type Trace, type TraceSwitch, traceSwitches } from './trace.ts';

/** What the commands of CONTROL that are about the process work on. */
export interface ControlParts {
  readonly trace: Trace;
  /** Where `logfile` may put the log: a client names a file, and not a place in the system. */
  readonly logs: string;
  /** Writes a line of an operator's to the log of the process. */
  print(text: string): void;
  /** Replaces the program; left out where that is not possible. */
  liveUpdate?(parameters: readonly string[]): Promise<Result<string, XenstoreError>>;
  /** Says in the log of the process what a reply, the name of an error, has no room for. */
  trouble(message: string): void;
}

/** The name of the access log where CONTROL `logfile` has not chosen another. */
export const traceName = 'trace.log';

const fileName = /^[\w-][\w.-]{0,99}$/;

/** Answers `log`, `logfile`, `print` and `live-update` of CONTROL: SPEC.md, X64. */
export function processControl(parts: ControlParts): Control {
  return async (command, parameters) => {
    switch (command) {
      case 'log':
        return log(parts, parameters);
      case 'logfile':
        return logFile(parts, parameters);
      case 'print':
        return print(parts, parameters);
      case 'live-update':
        return parts.liveUpdate?.(parameters) ?? fail('ENOSYS');
    }
  };
}

type Answer = Result<string, XenstoreError>;

/** Whether the access log is written, and what is in it. */
function log(parts: ControlParts, [word, more]: readonly string[]): Answer {
  const { trace } = parts;
  if (word === undefined) return ok(settings(trace));
  if (more !== undefined) return fail('EINVAL');
  if (word === 'on') return done(parts, trace.turnOn());
  if (word === 'off') {
    trace.turnOff();
    return ok('OK');
  }
  const name = traceSwitches.find((each) => each === word.slice(1));
  if (name === undefined || !/^[+-]/.test(word)) return fail('EINVAL');
  trace.set(name, word.startsWith('+'));
  return ok('OK');
}

function settings(trace: Trace): string {
  const state = (name: TraceSwitch) => `${name.padEnd(8)}: ${trace.has(name) ? 'on' : 'off'}\n`;
  const where = `Log: ${trace.on ? 'on' : 'off'}, file ${trace.path}\n`;
  return `${where}Log switch settings:\n${traceSwitches.map(state).join('')}`;
}

/** The file is in the daemon's own directory, whoever asks: its name is all that can be chosen. */
function logFile(parts: ControlParts, [file, more]: readonly string[]): Answer {
  if (file === undefined || more !== undefined) return fail('EINVAL');
  const directory = join(parts.logs, '/');
  const name = file.startsWith(directory) ? file.slice(directory.length) : file;
  if (!fileName.test(name)) {
    parts.trouble(`CONTROL logfile: the log can only be a file in ${parts.logs}: give its name`);
    return fail(file.includes('/') ? 'EACCES' : 'EINVAL');
  }
  return done(parts, parts.trace.move(join(parts.logs, name)));
}

function print({ print: say }: ControlParts, [text, more]: readonly string[]): Answer {
  if (text === undefined || more !== undefined) return fail('EINVAL');
  say(text);
  return ok('OK');
}

function done({ trouble }: ControlParts, outcome: Result<void, string>): Answer {
  if (outcome.ok) return ok('OK');
  trouble(outcome.error);
  return fail('EIO');
}
