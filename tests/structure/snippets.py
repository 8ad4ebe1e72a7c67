"""For each rule of structure.py: files it must report (BAD) and files it must let pass (GOOD)."""


def guarded(name, body):
    return f'#ifndef {name}\n#define {name}\n{body}\n#endif\n'


LONG_BODY = '    x++;\n' * 80
SHORT_BODY = '    x++;\n' * 60

BAD = {
    'layer_arrows': [
        ('src/base/a.c', '#include "rt/inbox.h"\n'),
        ('src/model/a.c', '#include "wire/json.h"\n'),
        ('src/api/a.c', '#include "matcher/matcher_role.h"\n'),
        ('src/bridge/a.c', '#include "store/pump.h"\n'),
        ('src/app/a.c', '#include "matcher/search.h"\n'),
        ('src/app/a.c', '#include "sim/play.h"\n'),
        ('src/sim/a.c', '#include "store/reader.h"\n'),
        ('src/matcher/a.c', '#include <muster/client.h>\n'),
        ('src/base/a.c', '#include "str.h"\n'),
        ('src/extras/a.c', ''),
    ],
    'client_stands_alone': [('clients/c/src/a.c', '#include "base/err.h"\n')],
    'library_fences': [
        ('src/api/a.c', '#include <nng/nng.h>\n'),
        ('src/matcher/a.c', '#include <hiredis/hiredis.h>\n'),
        ('src/store/a.c', '#include <muster/v1/tickets.pb-c.h>\n'),
        ('src/app/a.c', '#include <muster/journal/v1/journal.pb-c.h>\n'),
        ('src/app/a.c', '#include <protobuf-c/protobuf-c.h>\n'),
        ('src/api/a.c', '#include <jansson.h>\n'),
        ('src/bridge/player.c', '#include <libwebsockets.h>\n'),
        ('src/matcher/a.c', '#include <pthread.h>\n'),
        ('src/base/a.c', '#include <uv.h>\n'),
        ('clients/c/src/a.c', '#include <hiredis/hiredis.h>\n'),
    ],
    'headers_compile_alone': [('src/base/a.h', 'size_t a_count(void);\n'),
                              ('clients/c/include/muster/a.h', 'struct b a_get(void);\nint x = y;\n')],
    'header_guards': [
        ('src/base/a.h', guarded('MUSTER_A_H', '')),
        ('src/base/a.h', '#pragma once\n'),
        ('src/base/a.h', '#ifndef MUSTER_BASE_A_H\n#define MUSTER_BASE_B_H\n#endif\n'),
        ('tests/support/poll.h', guarded('POLL_H', '')),
        ('tests/support/poll.h', guarded('MUSTER_TESTS_WAIT_H', '')),
        ('clients/c/src/entry.h', guarded('MUSTER_ENTRIES_H', '')),
        ('clients/c/include/muster/client.h', guarded('CLIENT_H', '')),
    ],
    'function_size': [
        ('src/base/a.c', 'static int\nf(int x) {\n' + LONG_BODY + '    return x;\n}\n'),
        ('tests/unit/base/a.c', 'int g;\nvoid t(void) {\n' + LONG_BODY + '}\n'),
        ('src/base/a.h', 'int f(int a, int b, int c, int d, int (*e)(int, int), int g) ERR_CHECKED;\n'),
        ('src/base/a.c', 'struct s { int x; };\nint f(int a, int b, int c, int d, int e, int f) {\n}\n'),
        ('src/base/a.h', 'int f(int a, int b, int c, int d, int e, int f)\n'
                         '    __attribute__((format(printf, 3, 4)));\n'),
    ],
    'file_size': [
        ('src/base/a.c', 'int x;\n' * 801),
        ('src/base/a.h', '/* ' + 'x' * 98 + ' */\n'),
        ('src/base/a.def', 'ROW(' + 'x' * 98 + ')\n'),
    ],
    'commented_out_code': [
        ('src/base/a.c', '// x = 1;\n'),
        ('src/base/a.c', '    /* free(x); */\n'),
        ('src/base/a.c', '/*\n * if (x) {\n * return 1;\n * }\n */\n'),
        ('src/base/a.c', '#if 0\nint x;\n#endif\n'),
        ('src/base/a.c', '// #include <x.h>\n'),
        ('src/base/a.c', '/* struct x *y = z->w; */\n'),
        ('src/base/a.c', '/* return x->y; */\n'),
    ],
    'unfinished_marks': [('src/base/a.c', '/* TO' 'DO: later */\n'),
                         ('proto/a.proto', '// FIX' 'ME\n'),
                         ('tests/e2e/a.py', '# XX' 'X\n')],
    'sleeping_tests': [
        ('tests/unit/base/a_test.c', 'void f(void) {\n    usleep(1000);\n}\n'),
        ('tests/e2e/a.py', 'import time\ntime.sleep(1)\n'),
        ('tests/interop/a.js', 'await sleep(100);\n'),
        ('tests/e2e/a.sh', 'echo\n  sleep 1\n'),
    ],
    'checked_errors': [
        ('src/base/a.h', 'enum err a_open(const char *path,\n                int b);\n'),
        ('src/base/a.h', 'static inline enum err a_open(int b) {\n    return 0;\n}\n'),
        ('clients/c/include/muster/a.h', 'enum err a_open(void);\n'),
    ],
    'json_by_hand': [
        ('src/api/a.c', 'f("{\\"ok\\":%s}", ok);\n'),
        ('src/api/a.c', 'f("{\\"items\\": [");\n'),
        ('src/api/a.c', 'f(",\\"%s\\":", name);\n'),
        ('src/bridge/a.c', 'printf("\\"name\\": \\"%s\\"", name);\n'),
    ],
    'empty_names': [('src/base/util.c', ''), ('src/model/ticket_helpers.h', ''),
                    ('tests/support/common.py', '')],
    'test_only_code': [
        ('src/base/a.c', '#ifdef TEST\n#endif\n'),
        ('src/base/a.c', '#if defined(MUSTER_TESTING)\n#endif\n'),
        ('src/base/a.c', '#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION\n#endif\n'),
        ('src/base/a.c', '#  if UNIT_TEST\n#endif\n'),
    ],
    'moved_metrics': [('src/base/metrics.def', 'METRIC(rolls_total, METRIC_COUNTER, "rolls")\n')],
    'obeyed_limits': [('src/base/limits.h', '#define LIMIT_ROLLS 3 /* LIMIT_ROLLS: refused */\n')],
}

GOOD = {
    'layer_arrows': [
        ('src/app/a.c', '#include "matcher/matcher_role.h"\n#include "base/err.h"\n'),
        ('src/app/a.c', '#include "sim/sim.h"\n'),
        ('src/sim/a.c', '#include "model/realm.h"\n#include "wire/queue_json.h"\n'),
        ('src/bridge/a.c', '#include <muster/client.h>\n#include "socketio/socketio.h"\n'),
        ('src/wire/a.c', '#include <muster/v1/tickets.pb-c.h>\n#include "model/ticket.h"\n'),
        ('src/base/a.c', '/* #include "rt/inbox.h" */\n#include "base/a.h"\n'),
    ],
    'client_stands_alone': [('clients/c/src/a.c', '#include "call.h"\n#include <muster/client.h>\n')],
    'library_fences': [
        ('src/bus/a.c', '#include <nng/nng.h>\n#include <stdint.h>\n#include <sys/un.h>\n'),
        ('src/bridge/transport.c', '#include <libwebsockets.h>\n'),
        ('clients/c/src/a.c', '#include <nng/nng.h>\n#include <muster/v1/tickets.pb-c.h>\n'),
    ],
    'headers_compile_alone': [
        ('src/base/a.h', '#include <stddef.h>\nsize_t a_count(void);\n'),
    ],
    'header_guards': [
        ('src/base/a.h', '/* a */\n' + guarded('MUSTER_BASE_A_H', 'int x;')),
        ('clients/c/include/muster/client.h', guarded('MUSTER_CLIENT_H', '')),
        ('clients/c/src/entry.h', guarded('MUSTER_CLIENT_ENTRY_H', '')),
        ('tests/support/poll.h', guarded('MUSTER_TESTS_POLL_H', '')),
    ],
    'function_size': [
        ('src/base/a.c', 'void f(int x) {\n' + SHORT_BODY + '}\nvoid g(int x) {\n' + SHORT_BODY + '}\n'),
        ('src/base/a.c', 'static const int table[] = {\n' + '    1,\n' * 90 + '};\n'),
        ('src/base/a.h', 'enum a {\n' + '    A,\n' * 90 + '};\n'),
        ('src/base/a.h', 'void f(int a, int b, int c, int d, const char *format, ...)\n'
                         '    __attribute__((format(printf, 5, 6)));\n'),
        ('src/base/a.h', 'typedef int (*f_fn)(int a, int b, int c, int d, int e, int f);\n'),
        ('src/base/a.h', 'void f(int a, int b, int c, int d, done_fn done, void *done_arg);\n'),
        ('src/base/a.c', 'void f(void) {\n    g(1, 2, 3, 4, 5, 6, 7);\n}\n'),
        ('src/base/a.c', "int x;\n/* libother's signature */\n"
                         'static void f(int a, int b, int c, int d, int e, int f) {\n}\n'),
    ],
    'file_size': [('src/base/a.c', 'int x;\n' * 800 ), ('src/base/b.c', '/* ' + '€' * 94 + ' */\n')],
    'commented_out_code': [
        ('src/base/a.c', '/* Frees all; the caller keeps x (see mem.h).\n * x == 1 ends it. */\n'),
        ('src/base/a.h', '/* Not for secrets: a() reads the kernel\'s. One thread per instance;\n'
                         ' * the time (as now_ms) at which b or c() has work next;\n'
                         ' * return what was taken; a count >= 0 is kept;\n */\n'),
        ('src/base/a.h', '/* a.h - use it so:\n *\n *     x = a_new();\n *     a_free(x);\n */\n'),
        ('src/base/a.c', 'char *url = "http://x = 1;";\n'),
    ],
    'unfinished_marks': [('src/base/a.c', 'char path[] = "/tmp/a.XX' 'XXXX";\n')],
    'sleeping_tests': [
        ('tests/support/until.c', 'void f(void) {\n    usleep(1000);\n}\n'),
        ('tests/unit/base/a_test.c', '/* no sleep(1) here */\nvoid f(void) {\n    poll(0, 0, 1);\n}\n'),
    ],
    'checked_errors': [
        ('src/base/a.h', 'enum err a_open(const char *path,\n                int b) ERR_CHECKED;\n'),
        ('src/base/a.h', 'enum err a_set(struct err_text *why, enum err code, const char *f, ...);\n'),
        ('src/base/a.h', 'typedef enum err (*a_fn)(int b);\nstruct a { enum err code; };\n'),
    ],
    'json_by_hand': [
        ('src/wire/json.c', 'f("{\\"ok\\":true}");\n'),
        ('src/api/a.c', 'f("queue \\"%s\\" is full: wait");\n/* {"a":1} */\n'),
        ('src/model/a.c', 'f("team \\"%s\\": too few");\nf("\\"%s\\": no number");\n'),
        ('src/app/a.c', 'f("A line {\\"resync\\":\\"reason\\"} says so");\n'),
    ],
    'empty_names': [('src/base/str.c', ''), ('src/model/commonest.c', '')],
    'test_only_code': [
        ('src/base/a.c', '#ifdef __linux__\n#endif\n/* #ifdef TEST */\n'),
        ('src/base/latest.h', guarded('MUSTER_BASE_LATEST_H', '')),
    ],
    'moved_metrics': [('src/base/metrics.def', '/* METRIC(name, kind, help) */\n'),
                      ('src/api/a.c', 'void f(void) {\n    metric_add(METRIC_rolls_total, 1);\n}\n')],
    'obeyed_limits': [('src/base/limits.h', '#define LIMIT_ROLLS 3\n#define DICE (2 * LIMIT_ROLLS)\n')],
}
