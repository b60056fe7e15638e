/**
 * Writes `proto/gen`: TypeScript types for the messages and services of the .proto files, with
 * their comments. `npm run proto` runs it; `npm test` fails where its output is not committed.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { present } from '../base/assert.ts';
import { longsAre, methodKind, protoDirectory } from './codec.ts';

const generatedDirectory = join(protoDirectory, 'gen');

const scalars: Readonly<Record<string, string>> = {
  double: 'number',
  float: 'number',
  int32: 'number',
  uint32: 'number',
  sint32: 'number',
  fixed32: 'number',
  sfixed32: 'number',
  bool: 'boolean',
  string: 'string',
  bytes: 'Uint8Array',
};

/** The files of `proto/gen` by name, made from the .proto files as they are now. */
export function generate(): ReadonlyMap<string, string> {
  const files = globSync('**/*.proto', { cwd: protoDirectory }).sort();
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    protobuf.common.get(target) === null ? join(protoDirectory, target) : target;
  root.loadSync(files, { alternateCommentMode: true });
  root.resolveAll();
  const fileOf = (type: protobuf.ReflectionObject): string =>
    (type.filename ?? '').replace(`${protoDirectory}/`, '');
  const generated = new Map<string, string>();
  for (const namespace of packages(root))
    generated.set(`${namespace.fullName.slice(1)}.ts`, packageSource(namespace, fileOf));
  return generated;
}

function* packages(namespace: protobuf.Namespace): Generator<protobuf.Namespace> {
  const isPackage = namespace.nestedArray.some(
    (each) => each instanceof protobuf.Type || each instanceof protobuf.Enum,
  );
  if (isPackage) yield namespace;
  for (const each of namespace.nestedArray)
    if (each.constructor === protobuf.Namespace) yield* packages(each);
}

function packageSource(
  namespace: protobuf.Namespace,
  fileOf: (type: protobuf.ReflectionObject) => string,
): string {
  const imports = new Set<string>();
  const body: string[] = [];
  const context: Context = { namespace, imports, fileOf };
  declare(namespace.nestedArray, context, body);
  const head = ['// Made by `npm run proto` from the .proto files. Not edited by hand.'];
  const serves = namespace.nestedArray.some((each) => each instanceof protobuf.Service);
  head.push(`import type { MessageType${serves ? ', ServiceType' : ''} } from '../codec.ts';`);
  for (const name of [...imports].sort())
    head.push(`import type * as ${alias(name)} from './${name}.ts';`);
  return `${head.join('\n')}\n\n${body.join('\n\n')}\n`;
}

interface Context {
  readonly namespace: protobuf.Namespace;
  readonly imports: Set<string>;
  readonly fileOf: (type: protobuf.ReflectionObject) => string;
}

function declare(
  objects: readonly protobuf.ReflectionObject[],
  context: Context,
  body: string[],
): void {
  for (const object of objects) {
    if (object instanceof protobuf.Enum) body.push(enumSource(object, context));
    if (object instanceof protobuf.Service) body.push(serviceSource(object, context));
    if (object instanceof protobuf.Type) {
      body.push(messageSource(object, context));
      declare(object.nestedArray, context, body);
    }
  }
}

function alias(packageName: string): string {
  return packageName.replaceAll('.', '_');
}

/** `Status.Detail` in a package becomes `Status_Detail`. */
function localName(
  object: protobuf.ReflectionObject,
  namespace: protobuf.ReflectionObject,
): string {
  return object.fullName.slice(namespace.fullName.length + 1).replaceAll('.', '_');
}

function packageOf(object: protobuf.ReflectionObject): protobuf.ReflectionObject {
  let parent = present(object.parent, `parent of ${object.fullName}`);
  while (parent instanceof protobuf.Type) parent = present(parent.parent, 'parent of a type');
  return parent;
}

function reference(object: protobuf.ReflectionObject, context: Context): string {
  const home = packageOf(object);
  if (home === context.namespace) return localName(object, home);
  const name = home.fullName.slice(1);
  context.imports.add(name);
  return `${alias(name)}.${localName(object, home)}`;
}

function comment(text: string | null | undefined, indent: string): string {
  if (text === null || text === undefined || text === '') return '';
  const lines = text.split('\n').map((line) => line.trim());
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`;
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`;
}

function enumSource(type: protobuf.Enum, context: Context): string {
  const names = Object.keys(type.values).map((name) => `\n  | '${name}'`);
  return `${comment(type.comment, '')}export type ${localName(type, context.namespace)} =${names.join('')};`;
}

function fieldType(field: protobuf.Field, context: Context): string {
  field.resolve();
  const scalar = scalars[field.type];
  if (scalar !== undefined) return scalar;
  if (field.resolvedType === null) return longsAre(present(field.parent, 'parent').fullName);
  return reference(field.resolvedType, context);
}

function fieldSource(field: protobuf.Field, context: Context): string {
  const type = fieldType(field, context);
  const head = `${comment(field.comment, '  ')}  readonly ${field.name}`;
  if (field instanceof protobuf.MapField) return `${head}: Readonly<Record<string, ${type}>>;`;
  if (field.repeated) return `${head}: readonly ${type}[];`;
  if (field.partOf !== null) return `${head}?: ${type};`;
  if (field.resolvedType instanceof protobuf.Type) return `${head}: ${type} | null;`;
  return `${head}: ${type};`;
}

function messageSource(type: protobuf.Type, context: Context): string {
  const name = localName(type, context.namespace);
  const fields = type.fieldsArray.map((field) => fieldSource(field, context)).join('\n');
  const value = `{ name: '${type.fullName.slice(1)}', file: '${context.fileOf(type)}' }`;
  return `${comment(type.comment, '')}export interface ${name} {\n${fields}\n}\nexport const ${name}: MessageType<${name}> = ${value};`;
}

function serviceSource(service: protobuf.Service, context: Context): string {
  const name = localName(service, context.namespace);
  const methods = service.methodsArray.map((method) => {
    const request = reference(present(method.resolvedRequestType, 'request'), context);
    const response = reference(present(method.resolvedResponseType, 'response'), context);
    const camel = method.name.charAt(0).toLowerCase() + method.name.slice(1);
    return `${comment(method.comment, '  ')}  readonly ${camel}: {\n    readonly kind: '${methodKind(method)}';\n    readonly request: ${request};\n    readonly response: ${response};\n  };`;
  });
  const kinds = service.methodsArray.map((method) => `${method.name}: '${methodKind(method)}'`);
  const value = `{\n  name: '${service.fullName.slice(1)}',\n  file: '${context.fileOf(service)}',\n  methods: {${kinds.map((kind) => `\n    ${kind},`).join('')}\n  },\n}`;
  return `${comment(service.comment, '')}export interface ${name} {\n${methods.join('\n')}\n}\nexport const ${name}: ServiceType<${name}> = ${value};`;
}

/** The names of files in `proto/gen` that are not what `generate` would write. */
export function outdated(): readonly string[] {
  const expected = generate();
  const present = globSync('*.ts', { cwd: generatedDirectory });
  const wrong = [...expected].filter(
    ([name, source]) =>
      !present.includes(name) || readFileSync(join(generatedDirectory, name), 'utf8') !== source,
  );
  return [...wrong.map(([name]) => name), ...present.filter((name) => !expected.has(name))];
}

if (import.meta.main) {
  rmSync(generatedDirectory, { recursive: true, force: true });
  mkdirSync(generatedDirectory, { recursive: true });
  for (const [name, source] of generate()) writeFileSync(join(generatedDirectory, name), source);
}
