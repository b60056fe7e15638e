/*
 * What a guest does all the while that its host's services are taken from under it: it writes and reads back its
 * disk, and holds a TCP connection to somebody who echoes. It counts what went well and what did not, and says
 * so in one line whenever it gets SIGUSR1. SIGTERM ends it.
 */
#ifndef FLOTILLA_LOAD_H
#define FLOTILLA_LOAD_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>

/* Between two rounds of either kind: a load, but one that leaves an emulated processor to others. */
#define ROUND_PAUSE_MS 200

/* How one of the two goes on. Its own thread counts; the line is made by another. */
struct course {
  atomic_ulong rounds; /* done, well or not */
  atomic_ulong wrong;  /* what came back was not what was sent or written */
  atomic_ulong errors; /* calls that failed, of the disk; connections that were lost */
  atomic_ulong begun;  /* connections that were made */
  atomic_long last;    /* when the last round ended, in milliseconds since the boot */
  atomic_long longest; /* the most between two ends of rounds since the last line, in milliseconds */
};

struct disk_load {
  const char *path;
  struct course course;
};

struct connection_load {
  struct sockaddr_in peer;
  struct course course;
};

/* main.c */
/* A line of its own, for whoever reads the console. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void round_ended(struct course *course);
void rest(long milliseconds);

/* disk.c, connection.c: never return. */
void *load_disk(void *load);
void *load_connection(void *load);

#endif
