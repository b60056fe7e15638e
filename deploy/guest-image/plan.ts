import { signOfLifeVariable } from '../../base/sign-of-life.ts';
import { BuildFailure } from '../image/command.ts';
import { programDirectory, startFile } from './program/linked-script.ts';
import type { GuestModule, GuestService } from './services.ts';

/** What Node is started with, and where the configuration is, in the guest's root. */
export const programPath = `${programDirectory}/${startFile}`;
export const configurationPath = '/etc/flotilla/configuration.json';

/** Where a service looks for its configuration that has none linked in: in the seed of its guest. */
const seedConfiguration = '/seed/configuration.json';

/** Whom the service runs as: the number is nobody else's. */
export const serviceUser = 1000;

/** Most that the service may write to the guest's memory, as files. */
const runSize = '32m';

/** What a service writes to while it does not hang (base/sign-of-life.ts). */
const signOfLife = '/run/flotilla/sign-of-life';

/** What the service may write, besides its data disk. */
const writable = ['/run/flotilla', '/run/tmp'];

/** What the plan is made of, besides what the table has of the service. */
export interface PlanParts {
  readonly service: GuestService;
  /** In the order of insertion; of a kernel without modules none. */
  readonly modules: readonly GuestModule[];
  readonly hasConfiguration: boolean;
  /** Numbers of the system calls that the service may make. */
  readonly calls: readonly number[];
}

/**
 * The file `/plan` that the image's init reads (`init/plan.c`): a key, a blank and a value on each line.
 * It decides what the service may do, and the image's digest covers it.
 */
export function planText({ service, modules, hasConfiguration, calls }: PlanParts): string {
  const lines: (readonly [key: string, value: string])[] = [
    ['run', runSize],
    ['user', String(service.runsAsRoot ? 0 : serviceUser)],
    ...modules.map(({ name, parameters }) => {
      const file = modulePath(name);
      return ['module', parameters === undefined ? file : `${file} ${parameters}`] as const;
    }),
    ...[...writable, ...(service.directories ?? [])].map((path) => ['directory', path] as const),
    ...service.devices.map((path) => ['device', path] as const),
    ...Object.values(service.capabilities).map((number) => ['capability', `${number}`] as const),
    ...calls.map((number) => ['call', `${number}`] as const),
  ];
  if (service.sysfs) lines.push(['sysfs', 'yes']);
  if (service.terminals === true) lines.push(['terminals', 'yes']);
  if (service.dataDirectory !== null) lines.push(['data', service.dataDirectory]);
  if (service.imagesDirectory !== undefined) lines.push(['images', service.imagesDirectory]);
  if (service.signsOfLife)
    lines.push(
      ['sign-of-life', signOfLife],
      ['environment', `${signOfLifeVariable}=${signOfLife}`],
    );
  for (const [name, value] of Object.entries(service.environment))
    lines.push(['environment', `${name}=${value}`]);
  for (const word of commandOf(service, hasConfiguration)) lines.push(['argument', word]);
  for (const [key, value] of lines)
    if (value.includes('\n')) throw new BuildFailure(`the plan's ${key} has a line's end`);
  return lines.map(([key, value]) => `${key} ${value}\n`).join('');
}

/** Where a module's file is in the initial file system. */
export function modulePath(name: string): string {
  return `/modules/${name}.ko`;
}

/** The service as init starts it. */
function commandOf(service: GuestService, hasConfiguration: boolean): readonly string[] {
  const { command, dataDirectory } = service;
  // A service that keeps nothing is started without one: it has a disk neither for data nor for a seed.
  const later = dataDirectory === null ? null : seedConfiguration;
  const file = hasConfiguration ? configurationPath : later;
  return [
    ...['/usr/bin/node', programPath, command],
    ...(file === null ? [] : ['--config', file]),
    ...service.arguments,
  ];
}
