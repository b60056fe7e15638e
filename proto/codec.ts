import { join } from 'node:path';
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { present } from '../base/assert.ts';

/** The folder of the .proto files; import paths in them are relative to it. */
export const protoDirectory = import.meta.dirname;

/** How a method talks: which side sends one message and which a stream. */
export type MethodKind = 'unary' | 'server-stream' | 'client-stream' | 'bidi-stream';

/** One method of a service, as a type: `proto/gen` has one for each. */
export interface MethodShape {
  readonly kind: MethodKind;
  readonly request: unknown;
  readonly response: unknown;
}

/** A service of the contracts. `Shape` is known to the compiler alone. */
export interface ServiceType<Shape> {
  /** `flotilla.vm.v1.VmService`. */
  readonly name: string;
  /** The .proto file that declares it, relative to `protoDirectory`. */
  readonly file: string;
  /** How each of its methods talks, by the method's name there. */
  readonly methods: Readonly<Record<string, MethodKind>>;
  readonly shape?: Shape;
}

/** A message type of the contracts. `Message` is known to the compiler alone. */
export interface MessageType<Message> {
  /** `flotilla.vm.v1.Vm`. */
  readonly name: string;
  readonly file: string;
  readonly message?: Message;
}

/**
 * What may be given where a message is to be sent: fields that are left out, null or undefined are
 * not set. What is received has every field: see `proto/gen`.
 */
export type Input<Message> = Message extends Uint8Array | bigint | string | number | boolean
  ? Message
  : Message extends readonly (infer Item)[]
    ? readonly Input<Item>[]
    : Message extends object
      ? { readonly [Field in keyof Message]?: Input<Message[Field]> | null | undefined }
      : Message;

const root = new protobuf.Root();
root.resolvePath = (_origin, target) =>
  protobuf.common.get(target) === null ? join(protoDirectory, target) : target;

function load(file: string): void {
  root.loadSync(file);
  root.resolveAll();
}

/**
 * 64-bit integers are numbers in Flotilla's own messages, where no id is numeric and every size is
 * bounded below 2^53; etcd's use all 64 bits for ids, so there they are bigints.
 */
export function longsAre(typeName: string): 'number' | 'bigint' {
  return /^\.?(etcdserverpb|mvccpb)\./.test(typeName) ? 'bigint' : 'number';
}

function decodingOptions(type: protobuf.Type): protobuf.IConversionOptions {
  const longs = longsAre(type.fullName) === 'bigint' ? BigInt : Number;
  return { longs, enums: String, defaults: true, arrays: true, objects: true };
}

/**
 * What is made when it is first asked for. Few processes are sent each message that they know, and reading
 * a contract takes a good part of the time in which one starts.
 */
function whenAsked<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function serializer(type: () => protobuf.Type): (value: object) => Buffer {
  return (value) => {
    const known = type();
    return Buffer.from(known.encode(known.fromObject(value)).finish());
  };
}

function deserializer(type: () => protobuf.Type): (bytes: Uint8Array) => object {
  const options = whenAsked(() => decodingOptions(type()));
  return (bytes) => type().toObject(type().decode(bytes), options());
}

/** Encodes and decodes one message type outside a gRPC call. */
export interface Codec<Message> {
  encode(message: Input<Message>): Uint8Array;
  /** Throws on bytes that are not such a message. */
  decode(bytes: Uint8Array): Message;
}

/** The codec of a message type of `proto/gen`. Its contract is read when it is first used. */
export function codec<Message>({ name, file }: MessageType<Message>): Codec<Message> {
  const type = whenAsked(() => {
    load(file);
    return root.lookupType(name);
  });
  const encode = serializer(type);
  const decode = deserializer(type);
  return {
    encode: (message) => encode(message as object),
    decode: (bytes) => decode(bytes) as Message,
  };
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** Whether a method streams, in one word. */
export function methodKind(method: protobuf.Method): MethodKind {
  if (method.requestStream) return method.responseStream ? 'bidi-stream' : 'client-stream';
  return method.responseStream ? 'server-stream' : 'unary';
}

const definitions = new Map<string, ServiceDefinition>();

/**
 * The service in the form that grpc-js serves and calls; keys are method names in camel case. Its contract
 * is read when the first message is.
 */
export function serviceDefinition<Shape>(type: ServiceType<Shape>): ServiceDefinition {
  const known = definitions.get(type.name);
  if (known !== undefined) return known;
  const methods = whenAsked(() => {
    load(type.file);
    return root.lookupService(type.name).methods;
  });
  const definition: Record<string, MethodDefinition<object, object>> = {};
  for (const [name, kind] of Object.entries(type.methods)) {
    const path = `/${type.name}/${name}`;
    const method = whenAsked(() => present(methods()[name], path));
    const request = whenAsked(() => present(method().resolvedRequestType, `request of ${path}`));
    const response = whenAsked(() => present(method().resolvedResponseType, `response of ${path}`));
    definition[lowerFirst(name)] = {
      path,
      originalName: lowerFirst(name),
      requestStream: kind === 'bidi-stream' || kind === 'client-stream',
      responseStream: kind === 'bidi-stream' || kind === 'server-stream',
      requestSerialize: serializer(request),
      requestDeserialize: deserializer(request),
      responseSerialize: serializer(response),
      responseDeserialize: deserializer(response),
    };
  }
  definitions.set(type.name, definition);
  return definition;
}
