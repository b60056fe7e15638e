import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import type { Result } from '../../base/result.ts';
import { type Bytes, bytes } from '../../base/units.ts';
import type { Failure } from '../../pool/failure.ts';
import type { VdiId } from '../../pool/records/identifiers.ts';
import type { VdiStore } from '../../services/storage/adapters/vdi-store.ts';

/** The store under test. */
export interface VdiStoreSubject {
  readonly store: VdiStore;
  /** Opens the same store again, as a restarted service does. */
  reopen(): Promise<VdiStore>;
}

/** One promise of the port. */
export interface VdiStoreCase {
  /** A sentence about behaviour. */
  readonly title: string;
  /** Rejects when the promise is broken. */
  run(subject: VdiStoreSubject): Promise<void>;
}

const megabyte = bytes(2 ** 20);

function value<Value>(result: Result<Value, Failure>): Value {
  assert.ok(result.ok, result.ok ? '' : `${result.error.reason}: ${result.error.message}`);
  return result.value;
}

function refusal(result: Result<unknown, Failure>): Failure {
  assert.ok(!result.ok, 'it succeeded');
  assert.notEqual(result.error.remedy, '', `${result.error.message}: no remedy`);
  return result.error;
}

function newId(): VdiId {
  return randomUUID() as VdiId;
}

/** What every store of disk images promises. */
export const vdiStoreContract: readonly VdiStoreCase[] = [
  {
    title: 'a new image has its size to the byte and reads as zeros',
    run: async ({ store }) => {
      const image = value(await store.create(newId(), bytes(3 * 512)));
      assert.equal(image.virtualSize, 3 * 512);
      assert.deepEqual(await readFile(image.path), Buffer.alloc(3 * 512));
      assert.deepEqual(value(await store.find(image.id)), image);
    },
  },
  {
    title: 'making an image again leaves what was written to it',
    run: async ({ store }) => {
      const image = value(await store.create(newId(), megabyte));
      const file = await open(image.path, 'r+');
      await file.write('a boot sector');
      await file.close();
      assert.deepEqual(value(await store.create(image.id, megabyte)), image);
      const content = await readFile(image.path);
      assert.equal(content.subarray(0, 13).toString(), 'a boot sector');
    },
  },
  {
    title: 'making an image again with another size is refused, and the image stays',
    run: async ({ store }) => {
      const image = value(await store.create(newId(), megabyte));
      assert.equal(refusal(await store.create(image.id, bytes(512))).reason, 'STORAGE');
      assert.deepEqual(value(await store.find(image.id)), image);
    },
  },
  {
    title: 'a deleted image is gone, and deleting it again succeeds',
    run: async ({ store }) => {
      const image = value(await store.create(newId(), megabyte));
      value(await store.remove(image.id));
      assert.equal(value(await store.find(image.id)), null);
      value(await store.remove(image.id));
      value(await store.remove(newId()));
    },
  },
  {
    title: 'an id can be made, deleted and made again, and comes back empty',
    run: async ({ store }) => {
      const image = value(await store.create(newId(), megabyte));
      const file = await open(image.path, 'r+');
      await file.write('secret');
      await file.close();
      value(await store.remove(image.id));
      const again = value(await store.create(image.id, bytes(1024)));
      assert.deepEqual(await readFile(again.path), Buffer.alloc(1024));
    },
  },
  {
    title: 'the list has every image, in the order of ids, also after a restart',
    run: async ({ store, reopen }) => {
      const made = [];
      for (let count = 0; count < 5; count += 1)
        made.push(value(await store.create(newId(), bytes((count + 1) * 512))));
      made.sort((a, b) => (a.id < b.id ? -1 : 1));
      assert.deepEqual(value(await store.list()), made);
      assert.deepEqual(value(await (await reopen()).list()), made);
    },
  },
  {
    title: 'images of many ids are made and deleted at once',
    run: async ({ store }) => {
      const ids = Array.from({ length: 20 }, newId);
      for (const result of await Promise.all(ids.map((id) => store.create(id, megabyte))))
        value(result);
      assert.equal(value(await store.list()).length, 20);
      for (const result of await Promise.all(ids.map((id) => store.remove(id)))) value(result);
      assert.deepEqual(value(await store.list()), []);
    },
  },
  {
    title: 'an image larger than what is free is refused, and nothing is left of it',
    run: async ({ store }) => {
      const id = newId();
      const { physicalFree, physicalSize } = value(await store.space());
      assert.ok(physicalFree <= physicalSize);
      const tooMuch = (2 * physicalFree + 2 ** 30) as Bytes;
      const failure = refusal(await store.create(id, tooMuch));
      assert.equal(failure.reason, 'NO_SPACE');
      assert.equal(failure.field, 'virtual_size');
      assert.deepEqual(value(await store.list()), []);
    },
  },
  {
    title: 'what is not a UUID is refused as an id, whatever it tries to name',
    run: async ({ store }) => {
      for (const name of [
        '',
        '../escape',
        '/etc/passwd',
        'a\0b',
        `${newId()}/..`,
        'A'.repeat(36),
      ]) {
        const id = name as VdiId;
        assert.equal(refusal(await store.create(id, megabyte)).reason, 'INVALID_FIELD');
        assert.equal(refusal(await store.find(id)).reason, 'INVALID_FIELD');
        assert.equal(refusal(await store.remove(id)).reason, 'INVALID_FIELD');
      }
      assert.deepEqual(value(await store.list()), []);
    },
  },
];
