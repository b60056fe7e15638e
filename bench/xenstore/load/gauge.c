#include "load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Operations of which the time is remembered; later ones count, but are in no percentile. */
enum { samplesMax = 4 << 20 };

static uint32_t samples[samplesMax];
static size_t sampled;
static uint64_t begun;
static double processor;

uint64_t nanoseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* Seconds that all threads of the server have run: schedstat has nanoseconds, where stat has ticks. */
static double processor_seconds(void)
{
	char path[320];
	double sum = 0;
	snprintf(path, sizeof path, "/proc/%d/task", wishes.server);
	DIR *tasks = opendir(path);
	if (!tasks) fail("the server", "does not run");
	for (struct dirent *task; (task = readdir(tasks));) {
		unsigned long long run = 0;
		if (task->d_name[0] == '.') continue;
		snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", wishes.server, task->d_name);
		FILE *file = fopen(path, "r");
		if (!file) continue;
		if (fscanf(file, "%llu", &run) == 1) sum += run / 1e9;
		fclose(file);
	}
	closedir(tasks);
	return sum;
}

long gauge_memory(void)
{
	char line[256];
	long kibibytes = 0;
	snprintf(line, sizeof line, "/proc/%d/status", wishes.server);
	FILE *file = fopen(line, "r");
	if (!file) fail("the server", "does not run");
	while (fgets(line, sizeof line, file))
		if (!strncmp(line, "VmRSS:", 6)) kibibytes = atol(line + 6);
	fclose(file);
	return kibibytes;
}

void gauge_begin(void)
{
	sampled = 0;
	processor = processor_seconds();
	begun = nanoseconds();
}

int gauge_over(void)
{
	return nanoseconds() - begun > wishes.seconds * 1e9;
}

void gauge_sample(uint64_t took)
{
	if (sampled < samplesMax) samples[sampled++] = took > UINT32_MAX ? UINT32_MAX : took;
}

static int compare(const void *one, const void *other)
{
	uint32_t first = *(const uint32_t *)one, second = *(const uint32_t *)other;
	return first < second ? -1 : first > second;
}

static double percentile(double part)
{
	return sampled ? samples[(size_t)(part * (sampled - 1))] / 1e3 : 0;
}

void gauge_report(const char *name, uint64_t operations)
{
	double seconds = (nanoseconds() - begun) / 1e9, used = processor_seconds() - processor;
	double each = operations ? operations : 1;
	qsort(samples, sampled, sizeof *samples, compare);
	printf("\"%s\":{\"perSecond\":%.1f,\"mean\":%.2f,\"p50\":%.2f,\"p99\":%.2f,\"cpu\":%.2f},", name,
	       operations / seconds, seconds * 1e6 / each, percentile(.5), percentile(.99), used * 1e6 / each);
}

void number_report(const char *name, double number)
{
	printf("\"%s\":%.4f,", name, number);
}
