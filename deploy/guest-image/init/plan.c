#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init.h"

static char plan_text[PLAN_BYTES_MAX];
static char kernel_words[PLAN_BYTES_MAX];

/* Reads a whole file as a text. */
static void read_text(const char *path, char *text) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up(path);
  size_t length = 0;
  ssize_t count;
  while ((count = read(fd, text + length, PLAN_BYTES_MAX - 1 - length)) > 0) length += count;
  if (count < 0 || length == PLAN_BYTES_MAX - 1) give_up(path);
  text[length] = '\0';
  close(fd);
}

/* Adds a word to a list whose last place stays NULL. */
static void add(char **list, char *word) {
  size_t count = 0;
  while (list[count] != NULL) count += 1;
  if (count == WORDS_MAX - 1) give_up("the plan has too many words");
  list[count] = word;
}

static void add_module(struct plan *plan, char *path) {
  size_t count = 0;
  while (plan->modules[count].path != NULL) count += 1;
  if (count == MODULES_MAX - 1) give_up("the plan has too many modules");
  char *parameters = strchr(path, ' ');
  if (parameters != NULL) *parameters++ = '\0';
  plan->modules[count] = (struct module){path, parameters == NULL ? "" : parameters};
}

static void add_call(struct plan *plan, const char *number) {
  if (plan->call_count == CALLS_MAX) give_up("the plan has too many system calls");
  plan->calls[plan->call_count++] = (unsigned)atoi(number);
}

static void take(struct plan *plan, const char *key, char *value) {
  if (strcmp(key, "module") == 0) add_module(plan, value);
  else if (strcmp(key, "device") == 0) add(plan->devices, value);
  else if (strcmp(key, "directory") == 0) add(plan->directories, value);
  else if (strcmp(key, "argument") == 0) add(plan->arguments, value);
  else if (strcmp(key, "environment") == 0) add(plan->environment, value);
  else if (strcmp(key, "capability") == 0) plan->capabilities |= 1ULL << (atoi(value) & 63);
  else if (strcmp(key, "call") == 0) add_call(plan, value);
  else if (strcmp(key, "user") == 0) plan->user = (uid_t)atoi(value);
  else if (strcmp(key, "run") == 0) plan->run_size = value;
  else if (strcmp(key, "data") == 0) plan->data_directory = value;
  else if (strcmp(key, "images") == 0) plan->images_directory = value;
  else if (strcmp(key, "sign-of-life") == 0) plan->sign_of_life = value;
  else if (strcmp(key, "sysfs") == 0) plan->sysfs = 1;
  else if (strcmp(key, "terminals") == 0) plan->terminals = 1;
  else give_up("the plan has a line that this init does not know");
}

/* The plan: lines of a key, a blank, and a value that goes to the line's end. */
void read_plan(struct plan *plan) {
  read_text("/plan", plan_text);
  for (char *line = plan_text, *next; *line != '\0'; line = next) {
    next = strchr(line, '\n');
    if (next == NULL) give_up("the plan does not end with a line's end");
    *next++ = '\0';
    char *value = strchr(line, ' ');
    if (value == NULL) give_up("the plan has a line without a value");
    *value++ = '\0';
    take(plan, line, value);
  }
}

/* A device is named as the hypervisor does, xvda, or by its whole path. */
static char *device_path(char *name) {
  if (name[0] == '/') return name;
  char *path;
  if (asprintf(&path, "/dev/%s", name) < 0) give_up("there is no memory for a device's path");
  return path;
}

static void take_word(struct plan *plan, char *word) {
  char *value = strchr(word, '=');
  if (value == NULL || strncmp(word, "flotilla.", 9) != 0) return;
  *value++ = '\0';
  const char *name = word + 9;
  if (strcmp(name, "log") == 0) plan->log = value;
  else if (strcmp(name, "address") == 0) plan->address = value;
  else if (strcmp(name, "gateway") == 0) plan->gateway = value;
  else if (strcmp(name, "bridge") == 0) plan->bridge = value;
  else if (strcmp(name, "data") == 0) plan->data_disk = device_path(value);
  else if (strcmp(name, "images") == 0) plan->images_disk = device_path(value);
  else if (strcmp(name, "seed") == 0) plan->seed_disk = device_path(value);
  else if (strcmp(name, "memory") == 0) plan->memory_seconds = atoi(value);
  else if (strcmp(name, "kill") == 0) plan->kill_seconds = atoi(value);
  else if (strcmp(name, "hang") == 0) plan->hang_seconds = atoi(value);
}

/* Words of the kernel's command line; those that are not ours are others'. */
void read_words(struct plan *plan) {
  read_text("/proc/cmdline", kernel_words);
  char *place;
  for (char *word = strtok_r(kernel_words, " \n", &place); word != NULL;
       word = strtok_r(NULL, " \n", &place))
    take_word(plan, word);
}
