#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

/* Beside what the guest's init tries of a disk: its beginning, its second MiB and its last one. */
#define REGION_START (8L << 20)
#define BLOCK_BYTES (64 << 10)
#define BLOCK_WORDS (BLOCK_BYTES / sizeof(uint64_t))
#define SLOTS 128

/* What O_DIRECT wants of a buffer, whatever the disk's sectors are. */
#define ALIGNMENT 4096

/* Scatters numbers that follow each other (Fibonacci hashing). */
static uint64_t scatter(uint64_t number) {
  uint64_t product = number * UINT64_C(0x9e3779b97f4a7c15);
  return product ^ (product >> 29);
}

/* The first word is the round; every other is made of it and of its place, so that none can stand elsewhere. */
static void fill(uint64_t *block, uint64_t round) {
  block[0] = round;
  for (uint64_t at = 1; at < BLOCK_WORDS; at += 1) block[at] = scatter(round * BLOCK_WORDS + at);
}

static off_t place_of(uint64_t slot) { return REGION_START + (off_t)(slot * BLOCK_BYTES); }

/* Reads the slot past the cache and compares it with what was written in that round. */
static void check(struct course *course, int disk, uint64_t slot, uint64_t round) {
  static _Alignas(ALIGNMENT) uint64_t found[BLOCK_WORDS];
  static _Alignas(ALIGNMENT) uint64_t expected[BLOCK_WORDS];
  ssize_t count = pread(disk, found, BLOCK_BYTES, place_of(slot));
  if (count != BLOCK_BYTES) {
    course->errors += 1;
    say("reading slot %lu of the disk: %s", (unsigned long)slot, count < 0 ? strerror(errno) : "too short");
    return;
  }
  fill(expected, round);
  if (memcmp(found, expected, BLOCK_BYTES) == 0) return;
  course->wrong += 1;
  say("slot %lu of the disk is not as round %lu wrote it; its first word says %lu", (unsigned long)slot,
      (unsigned long)round, (unsigned long)found[0]);
}

/* In each round one slot is written and read back, and one of those before is read again. */
void *load_disk(void *argument) {
  struct disk_load *load = argument;
  static _Alignas(ALIGNMENT) uint64_t block[BLOCK_WORDS];
  /* Which round is in which slot; 0: it is not known. */
  static uint64_t written[SLOTS];
  int disk = open(load->path, O_RDWR | O_DIRECT | O_CLOEXEC);
  if (disk < 0) {
    say("cannot open %s past the cache: %s", load->path, strerror(errno));
    exit(1);
  }
  for (uint64_t round = 1;; round += 1) {
    uint64_t slot = round % SLOTS;
    uint64_t other = (round - scatter(round) % (round < SLOTS ? round : SLOTS)) % SLOTS;
    fill(block, round);
    written[slot] = 0;
    ssize_t count = pwrite(disk, block, BLOCK_BYTES, place_of(slot));
    if (count == BLOCK_BYTES) {
      written[slot] = round;
      check(&load->course, disk, slot, round);
    } else {
      load->course.errors += 1;
      say("writing slot %lu of the disk: %s", (unsigned long)slot, count < 0 ? strerror(errno) : "too short");
    }
    if (written[other] != 0) check(&load->course, disk, other, written[other]);
    round_ended(&load->course);
    rest(ROUND_PAUSE_MS);
  }
}
