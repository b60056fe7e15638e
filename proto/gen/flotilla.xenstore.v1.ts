// Made by `npm run proto` from the .proto files. Not edited by hand.
import type { MessageType, ServiceType } from '../codec.ts';

export interface XenstoreService {
  readonly read: {
    readonly kind: 'unary';
    readonly request: ReadRequest;
    readonly response: ReadResponse;
  };
  /** Makes the node, and its parents, where they are missing. */
  readonly write: {
    readonly kind: 'unary';
    readonly request: WriteRequest;
    readonly response: WriteResponse;
  };
  /** Makes a node without a value, and its parents, where they are missing; leaves what is there. */
  readonly makeDirectory: {
    readonly kind: 'unary';
    readonly request: MakeDirectoryRequest;
    readonly response: MakeDirectoryResponse;
  };
  readonly exists: {
    readonly kind: 'unary';
    readonly request: ExistsRequest;
    readonly response: ExistsResponse;
  };
  /** The names of a node's children, in the order in which they were made. */
  readonly list: {
    readonly kind: 'unary';
    readonly request: ListRequest;
    readonly response: ListResponse;
  };
  /**
   * A node and all below it as they are at one moment, parents before their children. A gateway has a
   * bound of 30,000 nodes: LIMIT.
   */
  readonly readTree: {
    readonly kind: 'server-stream';
    readonly request: ReadTreeRequest;
    readonly response: ReadTreeResponse;
  };
  /** Removes a node with all below it. A missing node is no error, a missing parent is. */
  readonly remove: {
    readonly kind: 'unary';
    readonly request: RemoveRequest;
    readonly response: RemoveResponse;
  };
  /** Also takes "@introduceDomain" and "@releaseDomain", as SetPermissions and Watch do. */
  readonly getPermissions: {
    readonly kind: 'unary';
    readonly request: GetPermissionsRequest;
    readonly response: GetPermissionsResponse;
  };
  readonly setPermissions: {
    readonly kind: 'unary';
    readonly request: SetPermissionsRequest;
    readonly response: SetPermissionsResponse;
  };
  /**
   * Fires once at once, then whenever the node or something below it changes. A path that waits to be
   * sent is not sent twice. WATCH_TOO_SLOW where the caller leaves too many paths unread.
   */
  readonly watch: {
    readonly kind: 'server-stream';
    readonly request: WatchRequest;
    readonly response: WatchEvent;
  };
  readonly startTransaction: {
    readonly kind: 'unary';
    readonly request: StartTransactionRequest;
    readonly response: StartTransactionResponse;
  };
  /**
   * CONFLICT (EAGAIN) where somebody else changed what the transaction had read: start again. A
   * transaction is its caller's alone; one that is left open for a minute is ended without effect.
   */
  readonly endTransaction: {
    readonly kind: 'unary';
    readonly request: EndTransactionRequest;
    readonly response: EndTransactionResponse;
  };
  /** A command to the daemon, as `xenstore-control` has them: "check"; "quota", "set", "nodes", "2000". */
  readonly control: {
    readonly kind: 'unary';
    readonly request: ControlRequest;
    readonly response: ControlResponse;
  };
}
export const XenstoreService: ServiceType<XenstoreService> = {
  name: 'flotilla.xenstore.v1.XenstoreService',
  file: 'flotilla/xenstore/v1/xenstore.proto',
  methods: {
    Read: 'unary',
    Write: 'unary',
    MakeDirectory: 'unary',
    Exists: 'unary',
    List: 'unary',
    ReadTree: 'server-stream',
    Remove: 'unary',
    GetPermissions: 'unary',
    SetPermissions: 'unary',
    Watch: 'server-stream',
    StartTransaction: 'unary',
    EndTransaction: 'unary',
    Control: 'unary',
  },
};

export interface ReadRequest {
  readonly path: string;
  /** 0: none. */
  readonly transaction: number;
}
export const ReadRequest: MessageType<ReadRequest> = { name: 'flotilla.xenstore.v1.ReadRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ReadResponse {
  readonly value: Uint8Array;
}
export const ReadResponse: MessageType<ReadResponse> = { name: 'flotilla.xenstore.v1.ReadResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface WriteRequest {
  readonly path: string;
  readonly value: Uint8Array;
  readonly transaction: number;
}
export const WriteRequest: MessageType<WriteRequest> = { name: 'flotilla.xenstore.v1.WriteRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface WriteResponse {

}
export const WriteResponse: MessageType<WriteResponse> = { name: 'flotilla.xenstore.v1.WriteResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface MakeDirectoryRequest {
  readonly path: string;
  readonly transaction: number;
}
export const MakeDirectoryRequest: MessageType<MakeDirectoryRequest> = { name: 'flotilla.xenstore.v1.MakeDirectoryRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface MakeDirectoryResponse {

}
export const MakeDirectoryResponse: MessageType<MakeDirectoryResponse> = { name: 'flotilla.xenstore.v1.MakeDirectoryResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ExistsRequest {
  readonly path: string;
  readonly transaction: number;
}
export const ExistsRequest: MessageType<ExistsRequest> = { name: 'flotilla.xenstore.v1.ExistsRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ExistsResponse {
  readonly exists: boolean;
}
export const ExistsResponse: MessageType<ExistsResponse> = { name: 'flotilla.xenstore.v1.ExistsResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ListRequest {
  readonly path: string;
  readonly transaction: number;
  /** Up to 1000; 0: 100. */
  readonly pageSize: number;
  /** CONFLICT where the list has changed since the page before: begin again, or use a transaction. */
  readonly pageToken: string;
}
export const ListRequest: MessageType<ListRequest> = { name: 'flotilla.xenstore.v1.ListRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ListResponse {
  readonly children: readonly string[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}
export const ListResponse: MessageType<ListResponse> = { name: 'flotilla.xenstore.v1.ListResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ReadTreeRequest {
  readonly path: string;
  /** Levels below the path; left out: all. */
  readonly depth?: number;
}
export const ReadTreeRequest: MessageType<ReadTreeRequest> = { name: 'flotilla.xenstore.v1.ReadTreeRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ReadTreeResponse {
  readonly nodes: readonly Node[];
}
export const ReadTreeResponse: MessageType<ReadTreeResponse> = { name: 'flotilla.xenstore.v1.ReadTreeResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface Node {
  readonly path: string;
  readonly value: Uint8Array;
  readonly permissions: readonly Permission[];
}
export const Node: MessageType<Node> = { name: 'flotilla.xenstore.v1.Node', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface RemoveRequest {
  readonly path: string;
  readonly transaction: number;
}
export const RemoveRequest: MessageType<RemoveRequest> = { name: 'flotilla.xenstore.v1.RemoveRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface RemoveResponse {

}
export const RemoveResponse: MessageType<RemoveResponse> = { name: 'flotilla.xenstore.v1.RemoveResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface Permission {
  readonly domid: number;
  readonly read: boolean;
  readonly write: boolean;
}
export const Permission: MessageType<Permission> = { name: 'flotilla.xenstore.v1.Permission', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface GetPermissionsRequest {
  readonly path: string;
  readonly transaction: number;
}
export const GetPermissionsRequest: MessageType<GetPermissionsRequest> = { name: 'flotilla.xenstore.v1.GetPermissionsRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface GetPermissionsResponse {
  /** The first one is the owner, and what it says is the access of all who are not listed. */
  readonly permissions: readonly Permission[];
}
export const GetPermissionsResponse: MessageType<GetPermissionsResponse> = { name: 'flotilla.xenstore.v1.GetPermissionsResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface SetPermissionsRequest {
  readonly path: string;
  readonly permissions: readonly Permission[];
  readonly transaction: number;
}
export const SetPermissionsRequest: MessageType<SetPermissionsRequest> = { name: 'flotilla.xenstore.v1.SetPermissionsRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface SetPermissionsResponse {

}
export const SetPermissionsResponse: MessageType<SetPermissionsResponse> = { name: 'flotilla.xenstore.v1.SetPermissionsResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface WatchRequest {
  readonly path: string;
  /** Levels below the path; left out: all. */
  readonly depth?: number;
}
export const WatchRequest: MessageType<WatchRequest> = { name: 'flotilla.xenstore.v1.WatchRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface WatchEvent {
  /** The node that changed: the watched one, one below it, or the watched one where a parent of it went. */
  readonly path: string;
}
export const WatchEvent: MessageType<WatchEvent> = { name: 'flotilla.xenstore.v1.WatchEvent', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface StartTransactionRequest {

}
export const StartTransactionRequest: MessageType<StartTransactionRequest> = { name: 'flotilla.xenstore.v1.StartTransactionRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface StartTransactionResponse {
  readonly transaction: number;
}
export const StartTransactionResponse: MessageType<StartTransactionResponse> = { name: 'flotilla.xenstore.v1.StartTransactionResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface EndTransactionRequest {
  readonly transaction: number;
  /** False: everything is forgotten. */
  readonly commit: boolean;
}
export const EndTransactionRequest: MessageType<EndTransactionRequest> = { name: 'flotilla.xenstore.v1.EndTransactionRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface EndTransactionResponse {

}
export const EndTransactionResponse: MessageType<EndTransactionResponse> = { name: 'flotilla.xenstore.v1.EndTransactionResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ControlRequest {
  readonly words: readonly string[];
}
export const ControlRequest: MessageType<ControlRequest> = { name: 'flotilla.xenstore.v1.ControlRequest', file: 'flotilla/xenstore/v1/xenstore.proto' };

export interface ControlResponse {
  readonly text: string;
}
export const ControlResponse: MessageType<ControlResponse> = { name: 'flotilla.xenstore.v1.ControlResponse', file: 'flotilla/xenstore/v1/xenstore.proto' };
