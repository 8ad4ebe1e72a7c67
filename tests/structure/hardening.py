#!/usr/bin/env python3
"""Checks that the release binary is what the release preset promises: hardened, asserts on.

hardening.py BINARY   reports what is missing; exit status 1 if anything is
"""

import re
import subprocess
import sys


def readelf(option, path):
    done = subprocess.run(['readelf', '--wide', option, path], capture_output=True, text=True,
                          timeout=60, check=True)
    return done.stdout


def findings(path):
    segments, dynamic = readelf('--segments', path), readelf('--dynamic', path)
    imported = set(re.findall(r'UND (\w+)', readelf('--dyn-syms', path)))
    loads = re.findall(r'^ +(LOAD|GNU_STACK)(?: +0x[0-9a-f]+){5} +([RWE ]{3})', segments, re.MULTILINE)
    stacks = [flags for name, flags in loads if name == 'GNU_STACK']
    fortified = [name for name in imported if re.fullmatch(r'__\w+_chk', name)]
    wanted = {
        'position-independent (-pie)': re.search(r'\(FLAGS_1\).*\bPIE\b', dynamic),
        'relocations read-only (-z relro)': 'GNU_RELRO' in segments,
        'bound at start (-z now)': 'BIND_NOW' in dynamic,
        'stack not executable (-z noexecstack)': stacks and 'E' not in stacks[0],
        'no segment both writable and executable': loads and not any(
            {'W', 'E'} <= set(flags) for _, flags in loads),
        'no text relocations': '(TEXTREL)' not in dynamic,
        'no library path of its own': not re.search(r'\((RPATH|RUNPATH)\)', dynamic),
        'stack canaries (-fstack-protector-strong)': '__stack_chk_fail' in imported,
        'checked library calls (_FORTIFY_SOURCE)': fortified,
        'asserts on (no NDEBUG)': '__assert_fail' in imported,
    }
    return [what for what, holds in wanted.items() if not holds], len(wanted)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    missing, count = findings(sys.argv[1])
    for what in missing:
        print(f'{sys.argv[1]}: missing: {what}')
    print(f'{count} properties, {len(missing)} missing')
    return 1 if missing else 0


if __name__ == '__main__':
    sys.exit(main())
