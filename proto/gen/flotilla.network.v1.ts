// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType, ServiceType } from '../codec.ts';
import type * as flotilla_pool_v1 from './flotilla.pool.v1.ts';
import type * as google_protobuf from './google.protobuf.ts';

/** The pool's view: any host's network service answers. */
export interface NetworkService {
  readonly getNetwork: {
    readonly kind: 'unary';
    readonly request: GetNetworkRequest;
    readonly response: Network;
  };
  readonly listNetworks: {
    readonly kind: 'unary';
    readonly request: ListNetworksRequest;
    readonly response: ListNetworksResponse;
  };
  readonly watchNetworks: {
    readonly kind: 'server-stream';
    readonly request: WatchNetworksRequest;
    readonly response: NetworkEvent;
  };
  /** Every host makes the network's bridge when it first needs it. */
  readonly createNetwork: {
    readonly kind: 'unary';
    readonly request: CreateNetworkRequest;
    readonly response: Network;
  };
  /** Changes the network's name; its bridge keeps its own. */
  readonly updateNetwork: {
    readonly kind: 'unary';
    readonly request: UpdateNetworkRequest;
    readonly response: Network;
  };
  /** A network that a VM has an interface on is not deleted: FAILED_PRECONDITION. */
  readonly deleteNetwork: {
    readonly kind: 'unary';
    readonly request: DeleteNetworkRequest;
    readonly response: DeleteNetworkResponse;
  };
}
export const NetworkService: ServiceType<NetworkService> = {
  name: 'flotilla.network.v1.NetworkService',
  file: 'flotilla/network/v1/network.proto',
  methods: {
    GetNetwork: 'unary',
    ListNetworks: 'unary',
    WatchNetworks: 'server-stream',
    CreateNetwork: 'unary',
    UpdateNetwork: 'unary',
    DeleteNetwork: 'unary',
  },
};

/** One host's view: the VM lifecycle service of the same host asks for what a domain needs. */
export interface VifService {
  /** Sees that the network's bridge is up on this host, and says its name; idempotent. */
  readonly prepareNetwork: {
    readonly kind: 'unary';
    readonly request: PrepareNetworkRequest;
    readonly response: PrepareNetworkResponse;
  };
  /**
   * Joins a backend's interface to the network's bridge, under a claim's epoch; idempotent. Waits, for
   * seconds at most, until the backend has made the interface. An older epoch than the newest one
   * seen is refused with STALE_EPOCH.
   */
  readonly plug: {
    readonly kind: 'unary';
    readonly request: PlugRequest;
    readonly response: Vif;
  };
  /** Undoes Plug. What is not plugged is unplugged: that succeeds. */
  readonly unplug: {
    readonly kind: 'unary';
    readonly request: UnplugRequest;
    readonly response: UnplugResponse;
  };
  /** What is plugged on this host now. */
  readonly listVifs: {
    readonly kind: 'unary';
    readonly request: ListVifsRequest;
    readonly response: ListVifsResponse;
  };
}
export const VifService: ServiceType<VifService> = {
  name: 'flotilla.network.v1.VifService',
  file: 'flotilla/network/v1/network.proto',
  methods: {
    PrepareNetwork: 'unary',
    Plug: 'unary',
    Unplug: 'unary',
    ListVifs: 'unary',
  },
};

export interface Network {
  readonly id: string;
  readonly name: string;
  /** The bridge's name on every host: at most 15 characters. */
  readonly bridge: string;
  readonly mtu: number;
  readonly createTime: google_protobuf.Timestamp | null;
  readonly revision: number;
}
export const Network: MessageType<Network> = { name: 'flotilla.network.v1.Network', file: 'flotilla/network/v1/network.proto' };

export interface GetNetworkRequest {
  readonly network: string;
}
export const GetNetworkRequest: MessageType<GetNetworkRequest> = { name: 'flotilla.network.v1.GetNetworkRequest', file: 'flotilla/network/v1/network.proto' };

export interface ListNetworksRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}
export const ListNetworksRequest: MessageType<ListNetworksRequest> = { name: 'flotilla.network.v1.ListNetworksRequest', file: 'flotilla/network/v1/network.proto' };

export interface ListNetworksResponse {
  readonly networks: readonly Network[];
  readonly nextPageToken: string;
}
export const ListNetworksResponse: MessageType<ListNetworksResponse> = { name: 'flotilla.network.v1.ListNetworksResponse', file: 'flotilla/network/v1/network.proto' };

export interface WatchNetworksRequest {
  readonly resumeRevision: number;
}
export const WatchNetworksRequest: MessageType<WatchNetworksRequest> = { name: 'flotilla.network.v1.WatchNetworksRequest', file: 'flotilla/network/v1/network.proto' };

export interface NetworkEvent {
  readonly type: flotilla_pool_v1.ChangeType;
  readonly network: Network | null;
  readonly revision: number;
}
export const NetworkEvent: MessageType<NetworkEvent> = { name: 'flotilla.network.v1.NetworkEvent', file: 'flotilla/network/v1/network.proto' };

export interface CreateNetworkRequest {
  readonly name: string;
  /** Empty: one is made from the id. */
  readonly bridge: string;
  /** 0: 1500. From 68 to 9216. */
  readonly mtu: number;
  readonly validateOnly: boolean;
  /**
   * A UUID of the caller's choice: it becomes the network's id, and a repeated request returns the
   * first one's network.
   */
  readonly requestId: string;
}
export const CreateNetworkRequest: MessageType<CreateNetworkRequest> = { name: 'flotilla.network.v1.CreateNetworkRequest', file: 'flotilla/network/v1/network.proto' };

export interface UpdateNetworkRequest {
  readonly network: string;
  readonly name: string;
  readonly validateOnly: boolean;
}
export const UpdateNetworkRequest: MessageType<UpdateNetworkRequest> = { name: 'flotilla.network.v1.UpdateNetworkRequest', file: 'flotilla/network/v1/network.proto' };

export interface DeleteNetworkRequest {
  readonly network: string;
  readonly validateOnly: boolean;
}
export const DeleteNetworkRequest: MessageType<DeleteNetworkRequest> = { name: 'flotilla.network.v1.DeleteNetworkRequest', file: 'flotilla/network/v1/network.proto' };

export interface DeleteNetworkResponse {

}
export const DeleteNetworkResponse: MessageType<DeleteNetworkResponse> = { name: 'flotilla.network.v1.DeleteNetworkResponse', file: 'flotilla/network/v1/network.proto' };

export interface PrepareNetworkRequest {
  /** The network's id. */
  readonly network: string;
}
export const PrepareNetworkRequest: MessageType<PrepareNetworkRequest> = { name: 'flotilla.network.v1.PrepareNetworkRequest', file: 'flotilla/network/v1/network.proto' };

export interface PrepareNetworkResponse {
  readonly bridge: string;
  /** The domain that has the bridge: the one that the network service runs in, 0 outside of guests. */
  readonly backend: number;
}
export const PrepareNetworkResponse: MessageType<PrepareNetworkResponse> = { name: 'flotilla.network.v1.PrepareNetworkResponse', file: 'flotilla/network/v1/network.proto' };

export interface PlugRequest {
  /** The network's id. */
  readonly network: string;
  /** The VM's id, the epoch of its claim, and the position of the interface. */
  readonly vm: string;
  readonly epoch: number;
  readonly index: number;
  readonly mac: string;
  /** The backend's interface on this host: "vif3.0". */
  readonly interface: string;
}
export const PlugRequest: MessageType<PlugRequest> = { name: 'flotilla.network.v1.PlugRequest', file: 'flotilla/network/v1/network.proto' };

export interface Vif {
  readonly network: string;
  readonly vm: string;
  readonly epoch: number;
  readonly index: number;
  readonly mac: string;
  readonly interface: string;
  readonly bridge: string;
  /** The domain that has both. */
  readonly backend: number;
}
export const Vif: MessageType<Vif> = { name: 'flotilla.network.v1.Vif', file: 'flotilla/network/v1/network.proto' };

export interface UnplugRequest {
  readonly vm: string;
  readonly epoch: number;
  readonly index: number;
}
export const UnplugRequest: MessageType<UnplugRequest> = { name: 'flotilla.network.v1.UnplugRequest', file: 'flotilla/network/v1/network.proto' };

export interface UnplugResponse {

}
export const UnplugResponse: MessageType<UnplugResponse> = { name: 'flotilla.network.v1.UnplugResponse', file: 'flotilla/network/v1/network.proto' };

export interface ListVifsRequest {

}
export const ListVifsRequest: MessageType<ListVifsRequest> = { name: 'flotilla.network.v1.ListVifsRequest', file: 'flotilla/network/v1/network.proto' };

export interface ListVifsResponse {
  readonly vifs: readonly Vif[];
}
export const ListVifsResponse: MessageType<ListVifsResponse> = { name: 'flotilla.network.v1.ListVifsResponse', file: 'flotilla/network/v1/network.proto' };
