#!/usr/bin/env python3
"""Checks what src/STYLE.md and src/README.md promise about the shape of the source.

structure.py [--root FOLDER] [--proto FOLDER] [--cc COMPILER]   reports; exit status 1 if any
structure.py --self-test                                        every rule on its own bad snippets

A rule is a function from a Tree to findings (path, line, text). Its snippets stand in
snippets.py: a rule without one that it reports, and one that it lets pass, fails the self test.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import source

FUNCTION_LINES, FILE_LINES, COLUMNS, PARAMETERS = 70, 800, 100, 5

# layer -> what it may include, itself left out
LAYERS = {
    'base': [],
    'model': ['base'],
    'wire': ['base', 'model'],
    'rt': ['base'],
    'socketio': ['base', 'rt'],
    'store': ['base', 'model', 'wire', 'rt'],
    'bus': ['base', 'wire', 'rt'],
    'monitor': ['base'],
    'api': ['base', 'model', 'wire', 'rt', 'bus', '<muster>'],
    'matcher': ['base', 'model', 'wire', 'rt', 'store'],
    'events': ['base', 'wire', 'rt', 'store', 'bus'],
    'sim': ['base', 'model', 'wire', 'rt'],
    'bridge': ['base', 'wire', 'rt', 'bus', 'socketio', '<muster>'],
    'app': ['base', 'rt', 'wire', '<muster>'],  # its commands are a client and print JSON
}
# what app may include of layers that it does not see into
DOORS_OF_APP = {f'{role}/{role}_role.h' for role in ('api', 'matcher', 'events', 'bridge')} | {
    'monitor/monitor.h', 'sim/arrivals.h', 'sim/sim.h', 'store/redis_usage.h'}

# pattern of <header> -> path prefixes that may include it
FENCES = [
    (r'nng/', ('src/bus/', 'clients/c/')),
    (r'hiredis', ('src/store/',)),
    (r'protobuf-c/', ('src/wire/', 'clients/c/')),
    (r'muster/journal/', ('src/wire/',)),
    (r'muster/v1/', ('src/wire/', 'src/api/', 'src/bridge/', 'src/app/', 'clients/c/')),
    (r'jansson', ('src/wire/',)),
    (r'ev\.h', ('src/bridge/transport.c',)),
    (r'libwebsockets|lws', ('src/bridge/transport.c',)),
    (r'pthread\.h|threads\.h', ('src/rt/', 'clients/c/')),
    (r'xxhash', ('src/base/',)),
    (r'sanitizer/', ('src/base/mem.c',)),
    (r'microhttpd', ('src/monitor/',)),
    (r'openssl/', ('src/api/', 'src/bridge/tls.c')),
    (r'muster/', ('src/api/', 'src/bridge/', 'src/app/', 'clients/c/')),
]
SYSTEM = re.compile(
    r'(sys|netinet|arpa|net|linux)/[\w./]+|'
    r'(assert|ctype|dirent|endian|errno|fcntl|fenv|float|ftw|getopt|grp|ifaddrs|inttypes|limits|locale|math|'
    r'netdb|poll|pwd|sched|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|stdint|stdio|'
    r'stdlib|stdnoreturn|string|strings|syslog|termios|time|unistd|wchar|getopt|libgen)\.h')

# Formats one flat line and may include nothing above base, so no JSON library.
JSON_BY_HAND = ('src/wire/', 'src/socketio/', 'src/base/log.c')


class Tree:
    """The files of the project, each read once."""

    TEXT = {'.c', '.h', '.def', '.py', '.sh', '.js', '.mjs', '.ts', '.proto', '.cmake', '.txt', '.md'}
    SKIPPED = {'build', 'node_modules', '__pycache__', 'corpus', '.git'}

    def __init__(self, root, proto=None, cc='cc'):
        self.root, self.proto, self.cc = Path(root), proto, cc
        self.files = {}
        for top in ('src', 'clients', 'tests', 'proto'):
            for path in sorted((self.root / top).rglob('*')):
                name = path.relative_to(self.root)
                if path.suffix in self.TEXT and path.is_file() and not self.SKIPPED & set(name.parts):
                    self.files[name.as_posix()] = path.read_text(encoding='utf-8')

    def select(self, *tops, suffixes=('.c', '.h')):
        """(path, text) of the files below `tops` that end in one of `suffixes`."""
        return [(path, text) for path, text in self.files.items()
                if path.startswith(tops) and path.endswith(suffixes)]

    def headers(self):
        return self.select('src/', 'clients/c/include/', suffixes=('.h',))


def layer_arrows(tree):
    """A layer includes only what is below it; roles know nothing of each other."""
    for path, text in tree.select('src/'):
        layer = path.split('/')[1]
        if layer not in LAYERS:
            yield path, 1, f'"{layer}" is no layer of src'
            continue
        allowed = LAYERS[layer] + [layer]
        for line, header in source.includes(text):
            name, folder = header[1:-1], header[1:-1].split('/')[0]
            if header[0] == '<':
                if folder == 'muster' and not name.endswith('.pb-c.h') and '<muster>' not in allowed:
                    yield path, line, f'{layer} may not use the client library ({name})'
            elif '/' not in name:
                yield path, line, f'"{name}": write the path from src ("{layer}/{name}")'
            elif folder not in allowed and not (layer == 'app' and name in DOORS_OF_APP):
                yield path, line, f'{layer} may not include {name}'


def client_stands_alone(tree):
    """The client library uses nothing of the server."""
    for path, text in tree.select('clients/c/'):
        for line, header in source.includes(text):
            if header[0] == '"' and header[1:-1].split('/')[0] in LAYERS:
                yield path, line, f'the client library may not include {header[1:-1]}'


def library_fences(tree):
    """A third-party library lives in one folder."""
    for path, text in tree.select('src/', 'clients/c/'):
        for line, header in source.includes(text):
            if header[0] != '<' or SYSTEM.fullmatch(header[1:-1]):
                continue
            places = [where for pattern, where in FENCES if re.match(pattern, header[1:-1])]
            if not places:
                yield path, line, f'{header} has no fence: add one to FENCES'
            elif not path.startswith(places[0]):
                yield path, line, f'{header} belongs in {" or ".join(places[0])}'


def headers_compile_alone(tree):
    """Whoever includes a header needs no other header before it."""
    folders = [f'-I{tree.root}/src', f'-I{tree.root}/clients/c/include']
    if tree.proto:
        folders += ['-isystem', str(tree.proto)]
    for path, _ in tree.headers():
        command = [tree.cc, '-std=c17', '-D_GNU_SOURCE', '-fsyntax-only', *folders, '-include',
                   str(tree.root / path), '-x', 'c', '/dev/null']
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            errors = [e for e in done.stderr.splitlines() if 'error:' in e]
            yield path, 1, 'does not compile alone: ' + (errors or [done.stderr.strip()])[0]


def header_guards(tree):
    """MUSTER_FOLDER_NAME_H, so that two headers never share one."""
    for path, text in tree.select('src/', 'clients/c/', 'tests/', suffixes=('.h',)):
        parts = re.sub(r'[^A-Za-z0-9/]', '_', path[:-2]).upper().split('/')
        right = 'MUSTER_' + '_'.join(parts[1:]) + '_H'
        if path.startswith('clients/c/include/muster/'):
            right = 'MUSTER_' + '_'.join(parts[4:]) + '_H'
        elif path.startswith('clients/c/'):
            right = f'MUSTER_(?:CLIENT_)?{parts[-1]}_H'
        elif path.startswith('tests/'):
            right = f'MUSTER_(?:(?:{"|".join(parts[:-1])})_)*{parts[-1]}_H'
        code = source.without_comments(text)
        guard = re.search(r'\A\s*#ifndef (\w+)\s+#define (\w+)', code)
        if not guard or guard[1] != guard[2] or not re.fullmatch(right, guard[1]):
            yield path, 1, f'the header guard is not {right}'


def callbacks_with_argument(parameters):
    """How many callbacks are followed by the argument they are called with: one thing in two."""
    pairs = zip(parameters, parameters[1:])
    return sum(bool(re.search(r'_fn \w+$', a) and re.match(r'void \*\w*arg$', b)) for a, b in pairs)


def function_size(tree):
    """At most FUNCTION_LINES lines and PARAMETERS parameters (a callback and its arg are one).

    A callback that a library calls has the parameters it is given; the comment above says whose
    signature that is.
    """
    for path, text in tree.select('src/', 'clients/c/', 'tests/'):
        lines = text.splitlines()
        for f in source.functions(text):
            if f.line_count > FUNCTION_LINES and f.is_definition:
                yield path, f.line, f'{f.name} has {f.line_count} lines, at most {FUNCTION_LINES}'
            count = len(f.parameters) - callbacks_with_argument(f.parameters)
            given = f.line > 1 and lines[f.line - 2].endswith("'s signature */")
            if count > PARAMETERS and not given:
                yield path, f.line, (f'{f.name} has {count} parameters, '
                                     f'at most {PARAMETERS}')


def file_size(tree):
    """At most FILE_LINES lines of at most COLUMNS columns."""
    for path, text in tree.select('src/', 'clients/c/', 'tests/', suffixes=('.c', '.h', '.def')):
        lines = text.splitlines()
        if len(lines) > FILE_LINES:
            yield path, FILE_LINES, f'{len(lines)} lines, at most {FILE_LINES}'
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                yield path, number, f'{len(line)} columns, at most {COLUMNS}'


STATEMENT = re.compile(
    r'[\w.>\[\]-]+\([^;]*\);|'  # a call
    r'(?:[\w*]+ ){0,3}\*{0,2}[\w.>\[\]-]+ ?[-+|&*/]?=(?!=)[^;]*;|'  # an assignment
    r'return(?: [^\s;]+)?(?: [-+*/<>=&|?:]+ [^\s;]+)*;|(?:break|continue);|'
    r'#\s*(?:include|define|if)\b.*|(?:if|for|while) \(.*\)\s*\{|\}(?: else \{)?')


def commented_out_code(tree):
    """A comment is prose; an example in a header comment is indented by four more columns."""
    for path, text in tree.select('src/', 'clients/c/', 'tests/'):
        for line, comment in source.comments(text):
            for i, raw in enumerate(comment.splitlines()):
                words = re.sub(r'^\s*(//|/\*+|\*(?!/))|\*/\s*$', '', raw)
                if not words.startswith('     ') and STATEMENT.fullmatch(words.strip() or '-'):
                    yield path, line + i, f'commented-out code: {words.strip()}'
        for match in re.finditer(r'^\s*#\s*if\s+0\b', source.without_comments(text), re.MULTILINE):
            yield path, source.line_at(text, match.end()), '#if 0: delete it, git remembers'


def unfinished_marks(tree):
    """What is not done is not in the tree."""
    for path, text in tree.files.items():
        if path.startswith('tests/structure/') or path.endswith('.md'):
            continue
        for match in re.finditer(r'\b(TODO|FIXME|XXX)\b', text):
            yield path, source.line_at(text, match.start()), f'{match[1]}: do it or drop it'


def sleeping_tests(tree):
    """A test waits for a condition with a deadline (tests/support), never for luck."""
    calls = re.compile(r'\b(?:sleep|usleep|nanosleep|clock_nanosleep|nng_msleep)\s*\(')
    for path, text in tree.select('tests/', suffixes=('.c', '.h', '.py', '.js', '.mjs', '.ts', '.sh')):
        if path.startswith(('tests/support/', 'tests/structure/')):
            continue
        if path.endswith(('.c', '.h')):
            text = source.code_only(text)
        found = list(calls.finditer(text))
        if path.endswith('.sh'):
            found += re.finditer(r'^\s*sleep\s+\S', text, re.MULTILINE)
        for match in found:
            yield path, source.line_at(text, match.end()), 'a test that sleeps'


def checked_errors(tree):
    """Every prototype that returns an enum err is must-use, but for those that format an error."""
    for path, text in tree.headers():
        for f in source.functions(text):
            formats = any(p.startswith('enum err ') for p in f.parameters) or f.name == 'err_from_code'
            if (re.match(r'(static inline )?enum err [a-z]', f.head) and not formats and
                    'ERR_CHECKED' not in f.head):
                yield path, f.line, f'{f.name} returns an enum err without ERR_CHECKED'


# `{"` or `,"` before a key of any kind; at the start of the literal a key that is spelled out.
PASTED = re.compile(r'[{\[,]\s*\\"[^"]*\\"\s*:|^"\s*\\"\w+\\"\s*:')


def complete_json(literal):
    """An example in a help text, or a constant: nothing is pasted into it."""
    return '%' not in literal and '{' in literal and all(
        literal.count(a) == literal.count(b) for a, b in ('{}', '[]'))


def json_by_hand(tree):
    """JSON is built by the JSON library, in wire (and by the framing code of socketio)."""
    for path, text in tree.select('src/', 'clients/c/src/'):
        if path.startswith(JSON_BY_HAND):
            continue
        for line, literal in source.strings(text):
            if PASTED.search(literal) and not complete_json(literal):
                yield path, line, f'JSON pasted together: {literal}'


def empty_names(tree):
    """A file is named after what it holds."""
    banned = {'util', 'utils', 'helper', 'helpers', 'manager', 'common', 'misc'}
    for path, _ in tree.select('src/', 'clients/', 'tests/', suffixes=('.c', '.h', '.py', '.js')):
        words = set(re.split(r'[_.-]', path.rsplit('/', 1)[-1].lower()))
        if words & banned:
            yield path, 1, f'"{(words & banned).pop()}" says nothing: name it after what it holds'


def test_only_code(tree):
    """Production has no paths for tests: clock, chance and peers are replaced at link time."""
    words = re.compile(r'^[ \t]*#[ \t]*(?:if|ifdef|ifndef|elif)\b.*'
                       r'(?:\b|_)(?:UNIT_?TESTS?|TESTS?|TESTING|FUZZ\w*|MOCKS?|SIMULATION)(?:\b|_)',
                       re.MULTILINE)
    for path, text in tree.select('src/', 'clients/c/'):
        for match in words.finditer(source.without_comments(text)):
            yield path, source.line_at(text, match.end()), f'test-only code: {match[0].strip()}'


def moved_metrics(tree):
    """A row of metrics.def is added to or set somewhere in src."""
    code = ''.join(text for _, text in tree.select('src/', suffixes=('.c',)))
    moved = set(re.findall(r'\bmetric_(?:add|set)\(METRIC_(\w+)', code))
    for path, text in tree.select('src/base/', suffixes=('metrics.def',)):
        for match in re.finditer(r'^METRIC\((\w+)', text, re.MULTILINE):
            if match[1] not in moved:
                yield path, source.line_at(text, match.start()), f'{match[1]} is never moved'


def obeyed_limits(tree):
    """A row of limits.h is looked at by code that is no test."""
    code = ''.join(source.without_comments(text) for _, text in tree.select('src/'))
    for path, text in tree.select('src/base/', suffixes=('/limits.h',)):
        for match in re.finditer(r'^#define (LIMIT_\w+)', text, re.MULTILINE):
            if len(re.findall(rf'\b{match[1]}\b', code)) < 2:
                yield path, source.line_at(text, match.start()), f'{match[1]} is never looked at'


RULES = [layer_arrows, client_stands_alone, library_fences, headers_compile_alone, header_guards,
         function_size, file_size, commented_out_code, unfinished_marks, sleeping_tests,
         checked_errors, json_by_hand, empty_names, test_only_code, moved_metrics,
         obeyed_limits]


def check(tree):
    count = 0
    for rule in RULES:
        for path, line, text in rule(tree):
            print(f'{path}:{line}: [{rule.__name__}] {text}')
            count += 1
    print(f'{len(tree.files)} files, {len(RULES)} rules, {count} findings')
    return 1 if count or not tree.files else 0


def findings_of(rule, path, text, cc):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding='utf-8')
        return list(rule(Tree(folder, cc=cc)))


def self_test(cc):
    import snippets
    failures = 0
    for rule in RULES:
        name = rule.__name__
        for kind, wants in (('BAD', True), ('GOOD', False)):
            cases = getattr(snippets, kind).get(name, [])
            if not cases:
                print(f'{name}: has no {kind} snippet')
                failures += 1
            for path, text in cases:
                found = findings_of(rule, path, text, cc)
                if bool(found) != wants:
                    print(f'{name}: {"lets pass" if wants else "reports"} {path}:\n{text}\n{found}')
                    failures += 1
    print(f'{len(RULES)} rules, {failures} failures')
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--root', default=Path(__file__).resolve().parents[2])
    parser.add_argument('--proto', help='folder of the generated protobuf-c headers')
    parser.add_argument('--cc', default='cc')
    parser.add_argument('--self-test', action='store_true')
    options = parser.parse_args()
    if options.self_test:
        return self_test(options.cc)
    return check(Tree(options.root, options.proto, options.cc))


if __name__ == '__main__':
    sys.exit(main())
