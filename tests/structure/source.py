"""Reads C source just far enough for structure.py: comments, strings, functions, prototypes."""

import re
from dataclasses import dataclass

STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|' + STRING.pattern, re.DOTALL)


def blank(text):
    """Spaces for every character but newlines, so that lines and columns stay."""
    return re.sub(r'[^\n]', ' ', text)


def without_comments(text):
    return COMMENT_OR_STRING.sub(lambda m: blank(m[0]) if m[0].startswith('/') else m[0], text)


def code_only(text):
    """Comments, contents of strings and preprocessor lines blanked."""
    def keep_quotes(match):
        token = match[0]
        return blank(token) if token.startswith('/') else token[0] + blank(token[1:-1]) + token[-1]
    text = COMMENT_OR_STRING.sub(keep_quotes, text)
    return re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', lambda m: blank(m[0]), text, flags=re.MULTILINE)


def comments(text):
    """Yields (line, comment text) of every comment."""
    for match in COMMENT_OR_STRING.finditer(text):
        if match[0].startswith('/'):
            yield line_at(text, match.start()), match[0]


def strings(text):
    """Yields (line, literal) of every string literal outside comments."""
    for match in COMMENT_OR_STRING.finditer(text):
        if match[0].startswith('"'):
            yield line_at(text, match.start()), match[0]


def includes(text):
    """Yields (line, "<x.h>" or "\"x.h\"")."""
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+([<"][^>"\n]+[>"])', without_comments(text),
                             re.MULTILINE):
        yield line_at(text, match.start()), match[1]


def line_at(text, offset):
    return text.count('\n', 0, offset) + 1


@dataclass
class Function:
    name: str
    head: str  # everything before the body or the semicolon
    parameters: list
    line: int
    line_count: int
    is_definition: bool


def split_parameters(text):
    """The parameters between two parentheses; an ellipsis and a lone void are none."""
    parts, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in '([{') - (c in ')]}')
        if c == ',' and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    names = [re.sub(r'\s+', ' ', p).strip() for p in parts]
    return [n for n in names if n not in ('', 'void', '...')]


def closing(text, start):
    """The offset of the parenthesis that closes the one at `start`, -1 where there is none."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] == '(') - (text[i] == ')')
        if depth == 0:
            return i
    return -1


def parse_head(head):
    """(name, parameters) when `head` declares a function, else None."""
    plain = re.sub(r'__attribute__\s*\(\(.*?\)\)(?=\s|$|;)', ' ', head, flags=re.DOTALL)
    if re.match(r'\s*typedef\b', plain) or '=' in plain.split('(')[0]:
        return None
    match = re.search(r'\b([A-Za-z_]\w*)\s*\(', plain)
    if not match or match[1] in ('if', 'for', 'while', 'switch', 'return', '_Static_assert',
                                 'static_assert', 'sizeof'):
        return None
    if not plain[:match.start()].strip():
        return None  # a macro call at file level, not a declaration
    end = closing(plain, match.end() - 1)
    rest = plain[end + 1:].strip() if end >= 0 else '='
    if not re.fullmatch(r'[A-Z_\s]*', rest):
        return None
    return match[1], split_parameters(plain[match.end():end])


def functions(text):
    """Every function defined or declared at file level."""
    code = code_only(text)
    code = re.sub(r'extern "\s*"\s*\{', lambda m: blank(m[0]), code)
    found, depth, start = [], 0, 0
    pending = None
    for i, c in enumerate(code):
        if c == '{':
            if depth == 0:
                pending = (start, code[start:i])
            depth += 1
        elif c == '}':
            depth = max(depth - 1, 0)
            if depth == 0:
                if pending:
                    add_function(found, code, pending, i, True)
                pending, start = None, i + 1
        elif c == ';' and depth == 0:
            add_function(found, code, (start, code[start:i]), i, False)
            start = i + 1
    return found


def add_function(found, code, pending, end, is_definition):
    offset, head = pending
    parsed = parse_head(head)
    if not parsed:
        return
    first = offset + len(head) - len(head.lstrip())
    line = line_at(code, first)
    count = line_at(code, end) - line + 1
    found.append(Function(parsed[0], head.strip(), parsed[1], line, count, is_definition))
