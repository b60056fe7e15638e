import { ok } from '../../base/result.ts';
import type { Input } from '../../proto/codec.ts';
import type {
  ImageService,
  Measurement as MeasurementMessage,
} from '../../proto/gen/flotilla.pool.v1.ts';
import type { Measurement } from '../images/measurement.ts';
import type { Pool } from '../pool.ts';
import type { RpcHandlers } from '../rpc/handler.ts';
import { nextPageToken, pageOf } from '../rpc/paging.ts';
import { timestampMessage } from '../rpc/timestamp.ts';

/** Handlers of the methods about what hosts measured. Nothing is judged here: whoever asks judges. */
export function measurementHandlers(
  pool: Pool,
): Pick<RpcHandlers<ImageService>, 'listMeasurements'> {
  return {
    listMeasurements: async (request) => {
      const host = await pool.hosts.find(request.host);
      if (!host.ok) return host;
      const wanted = pageOf(request);
      if (!wanted.ok) return wanted;
      const { id } = host.value.record;
      const head = await pool.measurementHeads.get(id);
      if (!head.ok) return head;
      if (head.value === null) return ok({ hostId: id });
      const { boot, sequence, digest } = head.value.record;
      const page = await pool.measurements.list(wanted.value, `${id}/${boot}/`);
      if (!page.ok) return page;
      return ok({
        hostId: id,
        boot,
        headSequence: sequence,
        head: digest,
        measurements: page.value.items.map(({ record }) => measurementMessage(record)),
        nextPageToken: nextPageToken(page.value),
      });
    },
  };
}

function measurementMessage(measurement: Measurement): Input<MeasurementMessage> {
  const { domain, service, kernel, initramfs, manifest, time, ...same } = measurement;
  return {
    ...same,
    time: timestampMessage(time),
    domainName: domain.name,
    domainUuid: domain.uuid,
    service: service ?? '',
    kernel: kernel ?? '',
    initramfs: initramfs ?? '',
    manifest: manifest ?? '',
  };
}
