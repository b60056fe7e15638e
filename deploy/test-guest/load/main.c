#define _GNU_SOURCE
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define LINE_MAX_BYTES 512

static long now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

void rest(long milliseconds) {
  struct timespec span = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  nanosleep(&span, NULL);
}

/* In one call, so that no other thread's line comes between. */
void say(const char *format, ...) {
  char text[LINE_MAX_BYTES];
  va_list values;
  va_start(values, format);
  int head = snprintf(text, sizeof text, "flotilla guest: load: ");
  int tail = vsnprintf(text + head, sizeof text - (size_t)head, format, values);
  va_end(values);
  int length = head + (tail > 0 ? tail : 0);
  if (length > (int)sizeof text - 1) length = (int)sizeof text - 1;
  text[length] = '\n';
  /* There is nobody to be told that the console is gone. */
  if (write(STDOUT_FILENO, text, (size_t)length + 1) < 0) return;
}

static void note_gap(struct course *course, long gap) {
  long longest = course->longest;
  while (gap > longest && !atomic_compare_exchange_weak(&course->longest, &longest, gap)) continue;
}

void round_ended(struct course *course) {
  long now = now_ms();
  note_gap(course, now - course->last);
  course->last = now;
  course->rounds += 1;
}

/* A round that does not end is a pause too: the longest counts it as far as it has come. */
static long take_longest(struct course *course) {
  note_gap(course, now_ms() - course->last);
  return atomic_exchange(&course->longest, 0);
}

static void report(struct course *disk, struct course *connection) {
  long pause = take_longest(disk);
  long silence = take_longest(connection);
  say("disk %lu rounds, %lu wrong, %lu errors, longest %ld ms; connection %lu, lost %lu, %lu lines, %lu wrong, "
      "longest %ld ms",
      disk->rounds, disk->wrong, disk->errors, pause, connection->begun, connection->errors, connection->rounds,
      connection->wrong, silence);
}

static int usage(void) {
  fprintf(stderr, "usage: load DISK ADDRESS PORT\n"
                  "DISK is overwritten from 8 MiB to 16 MiB; at ADDRESS (IPv4) and PORT somebody echoes\n");
  return 2;
}

int main(int count, char **words) {
  static struct disk_load disk;
  static struct connection_load connection;
  if (count != 4) return usage();
  disk.path = words[1];
  char *end;
  long port = strtol(words[3], &end, 10);
  connection.peer.sin_family = AF_INET;
  connection.peer.sin_port = htons((uint16_t)port);
  if (*end != '\0' || port < 1 || port > 65535) return usage();
  if (inet_pton(AF_INET, words[2], &connection.peer.sin_addr) != 1) return usage();
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGUSR1);
  sigaddset(&awaited, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &awaited, NULL);
  disk.course.last = connection.course.last = now_ms();
  pthread_t thread;
  if (pthread_create(&thread, NULL, load_disk, &disk) != 0 ||
      pthread_create(&thread, NULL, load_connection, &connection) != 0) {
    say("cannot start: no thread is to be had");
    return 1;
  }
  say("goes on");
  for (int signal; sigwait(&awaited, &signal) == 0;) {
    report(&disk.course, &connection.course);
    if (signal == SIGTERM) return 0;
  }
  return 1;
}
