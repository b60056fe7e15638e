#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct wishes wishes = { .seconds = 1, .clients = 1, .depth = 1 };

/* load SOCKET PID SCENARIO [NAME=NUMBER ...] */
int main(int count, char **words)
{
	struct { const char *name; int *number; } numbers[] = {
		{ "clients", &wishes.clients }, { "depth", &wishes.depth }, { "idle", &wishes.idle },
		{ "watches", &wishes.watches }, { "nodes", &wishes.nodes },
	};
	struct rlimit files;
	if (count < 4) fail("usage", "load SOCKET PID SCENARIO [NAME=NUMBER ...]");
	wishes.socket = words[1];
	wishes.server = atoi(words[2]);
	const char *scenario = words[3];
	for (int i = 4; i < count; i++) {
		const char *equals = strchr(words[i], '=');
		if (!equals) fail(words[i], "is not NAME=NUMBER");
		size_t length = equals - words[i];
		if (!strncmp(words[i], "seconds", length)) wishes.seconds = atof(equals + 1);
		for (size_t each = 0; each < sizeof numbers / sizeof *numbers; each++)
			if (strlen(numbers[each].name) == length && !strncmp(words[i], numbers[each].name, length))
				*numbers[each].number = atoi(equals + 1);
	}
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	printf("{");
	if (!strcmp(scenario, "read")) run_operations(op_read);
	else if (!strcmp(scenario, "write")) run_operations(op_write);
	else if (!strcmp(scenario, "mkdir-rm")) run_operations(op_mkdir_rm);
	else if (!strcmp(scenario, "connect")) run_connects();
	else if (!strcmp(scenario, "watches")) run_watches();
	else if (!strcmp(scenario, "transactions")) run_transactions(0);
	else if (!strcmp(scenario, "shared-transactions")) run_transactions(1);
	else if (!strcmp(scenario, "children")) run_children();
	else if (!strcmp(scenario, "tree")) run_tree();
	else fail(scenario, "is no scenario");
	printf("\"scenario\":\"%s\"}\n", scenario);
	return 0;
}
