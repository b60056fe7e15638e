import { ok, type Result } from '../../../base/result.ts';
import type { Failure } from '../../../pool/failure.ts';
import { type Mounted, mount } from '../../../pool/rpc/handler.ts';
import type { Input } from '../../../proto/codec.ts';
import {
  type PlugRequest as PlugMessage,
  type Vif,
  VifService,
} from '../../../proto/gen/flotilla.network.v1.ts';
import { field, interfaceField } from './fields.ts';
import type { PlugRecord } from './plug-journal.ts';
import type { PlugRequest, Vifs } from './vifs.ts';

/**
 * This host's view of networks: what the VM lifecycle service of the same host asks for. `domain` is
 * the domain that this service runs in, whose kernel has the bridges and the backends' interfaces.
 */
export function vifService(vifs: Vifs, domain: number): Mounted {
  const message = (plug: PlugRecord): Input<Vif> => ({ ...plug, backend: domain });
  return mount(VifService, {
    prepareNetwork: async (request) => {
      const network = field('network', request.network);
      if (!network.ok) return network;
      const bridge = await vifs.prepare(network.value);
      return bridge.ok ? ok({ bridge: bridge.value, backend: domain }) : bridge;
    },
    plug: async (request) => {
      const checked = plugRequest(request);
      if (!checked.ok) return checked;
      const plugged = await vifs.plug(checked.value);
      return plugged.ok ? ok(message(plugged.value)) : plugged;
    },
    unplug: async (request) => {
      const vm = field('vm', request.vm);
      if (!vm.ok) return vm;
      const epoch = field('epoch', request.epoch);
      if (!epoch.ok) return epoch;
      const index = field('index', request.index);
      if (!index.ok) return index;
      const unplugged = await vifs.unplug(vm.value, epoch.value, index.value);
      return unplugged.ok ? ok({}) : unplugged;
    },
    listVifs: async () => {
      const listed = await vifs.list();
      return listed.ok ? ok({ vifs: listed.value.map(message) }) : listed;
    },
  });
}

function plugRequest(request: PlugMessage): Result<PlugRequest, Failure> {
  const network = field('network', request.network);
  if (!network.ok) return network;
  const vm = field('vm', request.vm);
  if (!vm.ok) return vm;
  const epoch = field('epoch', request.epoch);
  if (!epoch.ok) return epoch;
  const index = field('index', request.index);
  if (!index.ok) return index;
  const mac = field('mac', request.mac);
  if (!mac.ok) return mac;
  const name = interfaceField(request.interface, index.value);
  if (!name.ok) return name;
  return ok({
    network: network.value,
    vm: vm.value,
    epoch: epoch.value,
    index: index.value,
    mac: mac.value,
    interface: name.value,
  });
}
