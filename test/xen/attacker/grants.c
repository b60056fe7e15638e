#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "attacker.h"

/* The kernel's device for grants of other domains (xen/gntdev.h). */
struct map_grant {
  uint32_t count, pad;
  uint64_t index;
  uint32_t domain, reference;
};
struct unmap_grant {
  uint64_t index;
  uint32_t count, pad;
};
struct copy_end {
  union {
    void *address;
    struct {
      uint32_t reference;
      uint16_t offset, domain;
    } foreign;
  };
};
struct copy_segment {
  struct copy_end source, destination;
  uint16_t length, flags;
  int16_t status;
};
struct copy_grants {
  unsigned count;
  struct copy_segment *segments;
};
#define MAP_GRANT _IOC(_IOC_NONE, 'G', 0, sizeof(struct map_grant))
#define UNMAP_GRANT _IOC(_IOC_NONE, 'G', 1, sizeof(struct unmap_grant))
#define COPY_GRANTS _IOC(_IOC_NONE, 'G', 8, sizeof(struct copy_grants))
#define COPY_FROM_GRANT 1

#define PAGE 4096
#define SWEEP 1024

/* Xen's own words (xen/grant_table.h). */
static const char *status_name(int status) {
  static const char *const names[] = {
      "OK",            "general_error", "bad_domain",    "bad_gntref",
      "bad_handle",    "bad_virt_addr", "bad_dev_addr",  "no_device_space",
      "permission_denied", "bad_page"};
  unsigned number = (unsigned)-status;
  return number < sizeof names / sizeof names[0] ? names[number] : "another status";
}

static void try_map(int device, const char *whose, unsigned domain, unsigned reference) {
  char what[128];
  struct map_grant map = {1, 0, 0, domain, reference};
  snprintf(what, sizeof what, "map the grant of %s", whose);
  if (ioctl(device, MAP_GRANT, &map) != 0) {
    answer(what, "%s", outcome(-1));
    return;
  }
  void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)map.index);
  answer(what, "%s", outcome(page == MAP_FAILED ? -1 : 0));
  if (page != MAP_FAILED) munmap(page, PAGE);
  struct unmap_grant unmap = {map.index, 1, 0};
  ioctl(device, UNMAP_GRANT, &unmap);
}

/* Copies a byte of the page of a grant; Xen says for each why not. 1: the kernel refused to ask. */
static int copy_status(int device, unsigned domain, unsigned reference) {
  static char page[PAGE] __attribute__((aligned(PAGE)));
  struct copy_segment segment = {.length = 1, .flags = COPY_FROM_GRANT};
  segment.source.foreign.reference = reference;
  segment.source.foreign.domain = (uint16_t)domain;
  segment.destination.address = page;
  struct copy_grants copy = {1, &segment};
  return ioctl(device, COPY_GRANTS, &copy) != 0 ? 1 : segment.status;
}

static void try_copy(int device, const char *whose, unsigned domain, unsigned reference) {
  char what[128];
  int status = copy_status(device, domain, reference);
  snprintf(what, sizeof what, "copy from the grant of %s", whose);
  answer(what, "%s", status > 0 ? outcome(-1) : status_name(status));
}

/* Every number that a domain's table of 1024 grants has. */
static void sweep(int device, const char *whose, unsigned domain) {
  char what[128];
  unsigned copied = 0, refused = 0;
  for (unsigned reference = 0; reference < SWEEP; reference += 1) {
    int status = copy_status(device, domain, reference);
    if (status == 0) copied += 1;
    else if (status < 0) refused += 1;
  }
  snprintf(what, sizeof what, "copy from every grant of %s", whose);
  answer(what, "%u copied, %u refused", copied, refused);
}

void attack_grants(const struct target *target) {
  int device = open("/dev/xen/gntdev", O_RDWR | O_CLOEXEC);
  answer("the device for grants", "%s", outcome(device));
  if (device < 0) return;
  try_map(device, "the NIC that it serves", target->victim, target->nic_ring);
  try_copy(device, "the NIC that it serves", target->victim, target->nic_ring);
  try_map(device, "the victim's disk", target->victim, target->disk_ring);
  try_copy(device, "the victim's disk", target->victim, target->disk_ring);
  try_map(device, "the victim's xenstore ring", target->victim, 1);
  try_copy(device, "the victim's xenstore ring", target->victim, 1);
  try_map(device, "the victim's console", target->victim, 0);
  try_copy(device, "the victim's console", target->victim, 0);
  sweep(device, "the control domain", 0);
  sweep(device, "the xenstore domain", target->store);
  close(device);
}
