import {
  type handleBidiStreamingCall,
  type MethodDefinition,
  Server,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { present } from '../base/assert.ts';
import { protoDirectory, type ServiceType } from './codec.ts';

/** The versions of the service that clients may ask for, and its only method. */
const versions = ['grpc.reflection.v1', 'grpc.reflection.v1alpha'];
const methodName = 'ServerReflectionInfo';

type Method = MethodDefinition<object, object>;
type Handler = handleBidiStreamingCall<object, object>;

/**
 * Adds grpc.reflection.v1 (and v1alpha), so that `grpcurl` and the like can ask a server for its
 * contracts. Only the given services are told of. What answers is loaded when somebody asks: it costs
 * 16 MiB of memory, and few processes are ever asked.
 */
export function addReflection(server: Server, services: readonly ServiceType<unknown>[]): void {
  const answers = new Answers(services);
  for (const version of versions) {
    const path = `/${version}.ServerReflection/${methodName}`;
    const method: Method = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (value) => answers.method(path).requestSerialize(value),
      requestDeserialize: (bytes) => answers.method(path).requestDeserialize(bytes),
      responseSerialize: (value) => answers.method(path).responseSerialize(value),
      responseDeserialize: (bytes) => answers.method(path).responseDeserialize(bytes),
    };
    // Nothing is read from the stream before its handler listens: the methods are there by then.
    const handler: Handler = async (call) => (await answers.handler(path))(call);
    server.addService({ [methodName]: method }, { [methodName]: handler });
  }
}

/** The implementation, once it was loaded. */
class Answers {
  readonly #services: readonly ServiceType<unknown>[];
  #loading: Promise<Collected> | null = null;
  #loaded: Collected | null = null;

  constructor(services: readonly ServiceType<unknown>[]) {
    this.#services = services;
  }

  /** The method of this path; to be asked for after its handler only. */
  method(path: string): Method {
    const loaded = present(this.#loaded, 'reflection is loaded before it reads');
    return present(loaded.served.get(path), path).method;
  }

  async handler(path: string): Promise<Handler> {
    this.#loading ??= this.#load();
    this.#loaded = await this.#loading;
    return present(this.#loaded.served.get(path), path).handler;
  }

  async #load(): Promise<Collected> {
    const [{ loadSync }, { ReflectionService }] = await Promise.all([
      import('@grpc/proto-loader'),
      import('@grpc/reflection'),
    ]);
    const files = [...new Set(this.#services.map((service) => service.file))];
    const definition = loadSync(files, { includeDirs: [protoDirectory], keepCase: true });
    const collected = new Collected();
    new ReflectionService(definition, {
      services: this.#services.map((service) => service.name),
    }).addToServer(collected);
    return collected;
  }
}

/** Stands for a server, and keeps what is added to it. */
class Collected extends Server {
  readonly served = new Map<string, { readonly method: Method; readonly handler: Handler }>();

  override addService(
    service: ServiceDefinition,
    implementation: UntypedServiceImplementation,
  ): void {
    for (const [name, method] of Object.entries(service)) {
      const handler = implementation[name] ?? implementation[method.originalName ?? name];
      this.served.set(method.path, { method, handler: handler as Handler });
    }
  }
}
