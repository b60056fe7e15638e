#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attacker.h"

/* Requests of xenstore by their numbers (xen/io/xs_wire.h). */
enum {
  XS_CONTROL,
  XS_DIRECTORY,
  XS_READ,
  XS_GET_PERMS,
  XS_WATCH,
  XS_INTRODUCE = 8,
  XS_RELEASE,
  XS_WRITE = 11,
  XS_MKDIR,
  XS_RM,
  XS_SET_PERMS,
  XS_WATCH_EVENT,
  XS_ERROR,
  XS_RESUME = 18,
  XS_SET_TARGET
};

struct header {
  uint32_t type, request, transaction, length;
};

#define PAYLOAD_MAX 4096

/* Where the control domain writes whom to attack. */
static const char target_node[] = "data/target";

static int watching = -1;
static unsigned heard_own, heard_frontend, heard_other, heard_special;
static char heard_example[128];

static int read_whole(int fd, void *bytes, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t count = read(fd, (char *)bytes + at, length - at);
    if (count <= 0) return -1;
    at += (size_t)count;
  }
  return 0;
}

/* Sends a request; -1, with errno, where it cannot be sent. The kernel's own watches are refused here. */
static int ask(int fd, uint32_t type, const char *payload, size_t length) {
  char message[sizeof(struct header) + PAYLOAD_MAX];
  struct header header = {type, 1, 0, (uint32_t)length};
  memcpy(message, &header, sizeof header);
  memcpy(message + sizeof header, payload, length);
  return write(fd, message, sizeof header + length) < 0 ? -1 : 0;
}

/* Reads a reply into `text`, which then ends with a zero; returns its type, or -1. */
static int take(int fd, char *text, size_t *length) {
  struct header header;
  if (read_whole(fd, &header, sizeof header) != 0 || header.length > PAYLOAD_MAX) return -1;
  if (read_whole(fd, text, header.length) != 0) return -1;
  text[header.length] = '\0';
  *length = header.length;
  return (int)header.type;
}

/* Asks once: OK and the content, or the error that xenstore names. */
static const char *asked(uint32_t type, const char *payload, size_t length, char *text) {
  size_t count = 0;
  int fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
  if (fd < 0) return outcome(-1);
  const char *result = "OK";
  if (ask(fd, type, payload, length) != 0) result = outcome(-1);
  else {
    int reply = take(fd, text, &count);
    if (reply == XS_ERROR) result = text;
    else if (reply < 0) result = outcome(-1);
    else if (type == XS_DIRECTORY || type == XS_GET_PERMS)
      for (size_t at = 0; at + 1 < count; at += 1)
        if (text[at] == '\0') text[at] = ' ';
  }
  close(fd);
  return result;
}

/* One question, of words that each end with a zero but for the value of a WRITE. */
static void question(const char *verb, uint32_t type, const char *what, const char *path,
                     const char *second) {
  char payload[512], text[PAYLOAD_MAX + 1] = "", name[160];
  size_t length = (size_t)snprintf(payload, sizeof payload, "%s", path) + 1;
  if (second != NULL)
    length += (size_t)snprintf(payload + length, sizeof payload - length, "%s", second) +
              (type == XS_WRITE ? 0 : 1);
  const char *result = asked(type, payload, length, text);
  snprintf(name, sizeof name, "xenstore %s %s", verb, what);
  if (strcmp(result, "OK") == 0 && (type == XS_READ || type == XS_DIRECTORY))
    answer(name, "OK %s", text);
  else answer(name, "%s", result);
}

static void heard(const char *path, const struct target *target) {
  char own[64], frontend[64];
  snprintf(own, sizeof own, "/local/domain/%u", target->own);
  snprintf(frontend, sizeof frontend, "/local/domain/%u/device/vif/", target->victim);
  size_t length = strlen(own);
  if (strncmp(path, own, length) == 0 && (path[length] == '/' || path[length] == '\0'))
    heard_own += 1;
  else if (strncmp(path, frontend, strlen(frontend)) == 0) heard_frontend += 1;
  else if (path[0] == '@') heard_special += 1;
  else if (strcmp(path, "/local/domain") != 0) {
    heard_other += 1;
    snprintf(heard_example, sizeof heard_example, " %.120s", path);
  }
}

static unsigned number_of(const char *text, const char *key) {
  const char *place = strstr(text, key);
  return place == NULL ? 0 : (unsigned)strtoul(place + strlen(key), NULL, 10);
}

/* Paths of events before it knows whom it attacks: it can tell only then whose they were. */
#define EARLY_MAX 4096
static char *early[EARLY_MAX];
static unsigned early_count;

/*
 * Watches all domains, and waits until it is told whom to attack. Meanwhile others are started, so it would
 * hear of them.
 */
int await_target(struct target *target) {
  static const char watch[] = "/local/domain\0every-domain";
  static const char own_watch[] = "data/target\0target";
  static const char comes[] = "@introduceDomain\0comes", goes[] = "@releaseDomain\0goes";
  char text[PAYLOAD_MAX + 1];
  size_t length;
  watching = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
  int sent = watching < 0 ? -1 : ask(watching, XS_WATCH, watch, sizeof watch);
  answer("xenstore watch /local/domain", "%s", outcome(sent));
  if (watching < 0 || ask(watching, XS_WATCH, own_watch, sizeof own_watch) != 0) return 0;
  answer("xenstore watch @introduceDomain", "%s", outcome(ask(watching, XS_WATCH, comes, sizeof comes)));
  answer("xenstore watch @releaseDomain", "%s", outcome(ask(watching, XS_WATCH, goes, sizeof goes)));
  answer("begin", "waits for %s", target_node);
  for (;;) {
    int type = take(watching, text, &length);
    if (type < 0) return 0;
    if (type != XS_WATCH_EVENT) continue;
    if (early_count < EARLY_MAX) early[early_count++] = strdup(text);
    if (strcmp(text, target_node) != 0) continue;
    if (strcmp(asked(XS_READ, target_node, sizeof target_node, text), "OK") != 0) continue;
    if (strstr(text, "victim=") == NULL) continue;
    target->own = number_of(text, "own=");
    target->victim = number_of(text, "victim=");
    target->store = number_of(text, "store=");
    target->disk_ring = number_of(text, "disk-ring=");
    target->disk_channel = number_of(text, "disk-channel=");
    target->nic_ring = number_of(text, "nic-ring=");
    return 1;
  }
}

/* Of what it heard: its own entries, those of the NIC that it serves, and others', of which there are to be none. */
void tell_heard(const struct target *target) {
  for (unsigned each = 0; each < early_count; each += 1)
    if (early[each][0] == '/' || early[each][0] == '@') heard(early[each], target);
  answer("xenstore heard of its own", "%s", heard_own > 0 ? "yes" : "no");
  answer("xenstore heard of the NIC that it serves", "%s", heard_frontend > 0 ? "yes" : "no");
  answer("xenstore heard of others", "%u events%s", heard_other, heard_example);
  /* Each watch fires once when it is set. */
  answer("xenstore heard of domains that come and go", "%u events",
         heard_special > 2 ? heard_special - 2 : 0);
}

void attack_store(const struct target *target) {
  char path[128], guest[64];
  snprintf(guest, sizeof guest, "/local/domain/%u", target->victim);
#define AT(...) (snprintf(path, sizeof path, __VA_ARGS__), path)
  /* What it may. */
  question("read", XS_READ, "its own domid", "domid", NULL);
  question("write", XS_WRITE, "its own data", "data/attack", "x");
  question("read", XS_READ, "its own data", "data/attack", NULL);
  question("remove", XS_RM, "its own data", "data/attack", NULL);
  question("read", XS_READ, "the frontend that it serves", AT("%s/device/vif/0/state", guest), NULL);
  question("write", XS_WRITE, "the frontend that it serves", AT("%s/device/vif/0/state", guest), "6");
  /* What is another guest's. */
  question("list", XS_DIRECTORY, "all domains", "/local/domain", NULL);
  question("list", XS_DIRECTORY, "the root", "/", NULL);
  question("list", XS_DIRECTORY, "the victim", guest, NULL);
  question("read", XS_READ, "the victim's name", AT("%s/name", guest), NULL);
  question("permissions", XS_GET_PERMS, "the victim", guest, NULL);
  question("read", XS_READ, "the victim's data", AT("%s/data", guest), NULL);
  question("write", XS_WRITE, "the victim's data", AT("%s/data/attack", guest), "x");
  question("make", XS_MKDIR, "a node of the victim", AT("%s/attack", guest), NULL);
  question("remove", XS_RM, "the victim", guest, NULL);
  question("give away", XS_SET_PERMS, "the victim", guest, "b0");
  question("list", XS_DIRECTORY, "the victim's disks", AT("%s/device/vbd", guest), NULL);
  question("read", XS_READ, "the victim's disk", AT("%s/device/vbd/51712/ring-ref", guest), NULL);
  question("write", XS_WRITE, "the victim's shutdown", AT("%s/control/shutdown", guest), "halt");
  /* What is the control domain's, or the store's. */
  question("read", XS_READ, "the control domain's name", "/local/domain/0/name", NULL);
  question("list", XS_DIRECTORY, "the control domain's backends", "/local/domain/0/backend", NULL);
  question("read", XS_READ, "the victim's disk's backend",
           AT("/local/domain/0/backend/vbd/%u/51712/params", target->victim), NULL);
  question("write", XS_WRITE, "a disk of its own choice",
           AT("/local/domain/0/backend/vbd/%u/51728/physical-device", target->own), "fe:0");
  question("list", XS_DIRECTORY, "the toolstack's records", "/libxl", NULL);
  question("list", XS_DIRECTORY, "the VMs", "/vm", NULL);
  question("write", XS_WRITE, "a node below the root", "/attack", "x");
  question("introduce", XS_INTRODUCE, "the victim", AT("%u", target->victim), "1");
  question("release", XS_RELEASE, "the victim", AT("%u", target->victim), NULL);
  question("resume", XS_RESUME, "the victim", AT("%u", target->victim), NULL);
  question("stand for", XS_SET_TARGET, "the victim", AT("%u", target->own), AT("%u", target->victim));
  question("control", XS_CONTROL, "xenstored", "check", NULL);
}
