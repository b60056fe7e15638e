import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import type { Host, SupervisedService } from '../../proto/gen/flotilla.pool.v1.ts';
import { call } from '../connection/call.ts';
import type { PoolConnection } from '../connection/pool-connection.ts';
import type { Style } from '../output/style.ts';
import { runName } from './restarted.ts';

/** What the supervisors of a host keep running; else why that is not known. */
export async function keptServices(
  pool: PoolConnection,
  { name, state }: Host,
): Promise<Result<readonly SupervisedService[], string>> {
  if (state !== 'HOST_STATE_UP') return fail(`${name} is down`);
  const answer = await call(
    pool,
    (to, settings) => to.supervisor.listServices({ host: name }, settings),
    milliseconds(0),
  );
  return answer.ok ? ok(answer.value.services) : fail(answer.error.message);
}

/** A line for each: the service, how it does, and what it runs as. */
export function keptLines(
  services: Result<readonly SupervisedService[], string>,
  style: Style,
): readonly string[] {
  if (!services.ok) return [style.paint('busy', `not known: ${services.error}`)];
  return services.value.map(({ service, form, state, id, starts, detail }) => {
    const kind = form === 'SERVICE_FORM_GUEST' ? 'guest' : 'process';
    const words = [
      ...(id === 0 ? [] : [runName(kind, id)]),
      ...(starts > 1 ? [`started ${starts} times`] : []),
      ...(detail === '' ? [] : [detail]),
    ];
    const painted = style.paint(state === 'serving' ? 'good' : 'busy', state.padEnd(7));
    return `${service.padEnd(14)}  ${painted}  ${words.join(', ')}`.trimEnd();
  });
}
