import { Command } from 'commander';
import type * as v from 'valibot';
import type { Result } from '../base/result.ts';
import { giveSignsOfLife } from '../base/sign-of-life.ts';
import { commonOptions, readConfiguration } from './configuration.ts';
import type { Failure } from './failure.ts';

/** A service at work. */
export interface Running {
  /** Ends it cleanly. */
  close(): Promise<void>;
}

/** A service's command. */
export interface ServiceCommand<Configuration> {
  /** `storage`, as in `flotilla storage`. */
  readonly name: string;
  readonly description: string;
  /** Its configuration: `v.strictObject({ ...commonFields, ... })`. */
  readonly schema: v.GenericSchema<unknown, Configuration>;
  /** Adds the flags of the service's own fields. */
  readonly options?: (command: Command) => Command;
  /** Starts it. A failure is one that the operator can mend. */
  run(configuration: Configuration): Promise<Result<Running, Failure>>;
}

/**
 * The command of a service that runs until SIGTERM or SIGINT. Its exit code is 0 after a clean end,
 * 2 where the configuration is wrong, and 1 where it could not start.
 */
export function serviceCommand<Configuration>(service: ServiceCommand<Configuration>): Command {
  const plain = commonOptions(new Command(service.name).description(service.description));
  const command = service.options?.(plain) ?? plain;
  return command.action(() => runService(service, command.opts()));
}

/** Runs a service until SIGTERM or SIGINT, with the configuration that its flags say. */
export async function runService<Configuration>(
  service: Pick<ServiceCommand<Configuration>, 'name' | 'schema' | 'run'>,
  flags: Readonly<Record<string, unknown>>,
): Promise<void> {
  giveSignsOfLife();
  const configuration = await readConfiguration(service.schema, flags);
  if (!configuration.ok) return stop(configuration.error, 2);
  const running = await service.run(configuration.value);
  if (!running.ok) {
    const { reason, message, remedy, field } = running.error;
    const what = field === undefined ? message : `${field}: ${message}`;
    return stop(`${service.name}: ${what}\n${remedy}`, reason === 'INVALID_FIELD' ? 2 : 1);
  }
  await signalled();
  return running.value.close();
}

/** The start of a service that could not learn which domain it runs in; `why` is a sentence. */
export function unknownDomain(reason: Failure['reason'], why: string): Failure {
  return {
    reason,
    message: `which domain this is cannot be read from xenstore: ${why}`,
    remedy: 'See that the host has a xenstored, and that /dev/xen/xenbus may be opened.',
  };
}

function stop(text: string, exitCode: number): void {
  process.stderr.write(`${text.trimEnd()}\n`);
  process.exitCode = exitCode;
}

/** A second signal while the service closes ends the process at once, as it is without a handler. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      process.off('SIGTERM', done);
      process.off('SIGINT', done);
      resolve();
    };
    process.on('SIGTERM', done);
    process.on('SIGINT', done);
  });
}
