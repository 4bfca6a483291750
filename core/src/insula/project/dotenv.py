"""`.env`: variables for the project's workers, written as a shell reads them, of which no command is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from insula.errors import Fault, ProjectError, SpecError

DOTENV_FILE = ".env"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_BLANK = re.compile(r"[ \t\r]*")
_REST = re.compile(r"[^\n]*")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def read_dotenv(project: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a project's `.env`; none if there is no such file.

    Args:
        project: the project folder.
        environment: what `$NAME` may mean beside what stands further up in the file.

    Raises:
        ProjectError: with every fault of the file.
    """
    path = project / DOTENV_FILE
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        # A folder of this name is a virtual environment.
        return {}
    except UnicodeDecodeError as error:
        raise ProjectError(f"{path}: the file is not UTF-8") from error
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read: {error.strerror}") from error
    return parse_dotenv(text, environment)


def parse_dotenv(text: str, environment: Mapping[str, str], name: str = DOTENV_FILE) -> dict[str, str]:
    r"""Return the variables that a text sets.

    A line is `NAME=value` or `export NAME=value`; `#` begins a comment at the start of a line and behind a blank.
    `'…'` is taken as it stands; in `"…"` and without quotes `$NAME` and `${NAME}` are replaced (by nothing if unset),
    and a backslash takes `$`, a quote or itself literally; in `"…"` `\n`, `\r` and `\t` are what they are in Python.

    Raises:
        ProjectError: with every fault of the text, each with its line.
    """
    parser = _Parser(text.replace("\r\n", "\n"), environment)
    parser.run()
    if parser.faults:
        raise ProjectError(str(SpecError(parser.faults, name)))
    return parser.variables


class _Refused(Exception):
    """What is wrong with the line that is read."""


class _Parser:
    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        self.text = text
        self.environment = environment
        self.at = 0
        self.variables: dict[str, str] = {}
        self.faults: list[Fault] = []

    def run(self) -> None:
        line = 1
        while self.at < len(self.text):
            begin = self.at
            try:
                self._line()
            except _Refused as refused:
                self.faults.append(Fault(str(refused), line=line))
            self._take(_REST)
            self.at += 1
            line += self.text.count("\n", begin, self.at)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            return ""
        self.at = match.end()
        return match.group()

    def _peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def _line(self) -> None:
        self._take(_BLANK)
        if self._peek() in ("", "\n", "#"):
            return
        name = self._name()
        exported = name == "export" and self._peek() in (" ", "\t")
        if exported:
            self._take(_BLANK)
            name = self._name()
        self._take(_BLANK)
        if self._peek() == "=":
            self.at += 1
            self._take(_BLANK)
            self.variables[name] = self._value()
        elif not (exported and self._peek() in ("", "\n", "#")):
            raise _Refused(f"expected NAME=value, found no = behind {name[:60]}")

    def _name(self) -> str:
        name = self._take(_NAME)
        if not name or self._peek() not in ("", "\n", "=", " ", "\t", "\r", "#"):
            word = re.split(r"[=\s]", self.text[self.at - len(name) :], maxsplit=1)[0]
            raise _Refused(f"{word[:60]!r} is not a name: letters, digits and _ only, no digit first")
        return name

    def _value(self) -> str:
        """The value at the cursor: pieces with and without quotes that touch each other are one value."""
        parts: list[str] = []
        while self._peek() not in ("", "\n"):
            quote = self._peek()
            if quote == "'":
                parts.append(self._single())
            elif quote == '"':
                parts.append(self._double())
            else:
                bare, ends = self._bare()
                parts.append(bare)
                if ends:
                    break
        value = "".join(parts)
        if "\0" in value:
            raise _Refused("a value cannot hold a NUL character")
        return value

    def _single(self) -> str:
        end = self.text.find("'", self.at + 1)
        if end < 0:
            raise _Refused("the quote ' is not closed")
        value, self.at = self.text[self.at + 1 : end], end + 1
        return value

    def _double(self) -> str:
        start, made = self.at, []
        self.at += 1
        while self._peek() != '"':
            if not self._peek():
                self.at = start
                raise _Refused('the quote " is not closed')
            made.append(self._character('$"\\`', _ESCAPES))
        self.at += 1
        return "".join(made)

    def _bare(self) -> tuple[str, bool]:
        """Text without quotes, and whether the value ends with it: blanks count only inside of it."""
        made: list[str] = []
        while self._peek() not in ("", "\n", "'", '"'):
            blanks = self._take(_BLANK)
            # `NAME= # comment`: the blanks before it are gone already.
            apart = blanks or (not made and self.text[self.at - 1] in (" ", "\t"))
            if self._peek() in ("", "\n") or (self._peek() == "#" and apart):
                return "".join(made), True
            made.append(blanks)
            if self._peek() not in ("'", '"'):
                made.append(self._character("$\"'\\`# ", {}))
        return "".join(made), False

    def _character(self, escaped: str, escapes: Mapping[str, str]) -> str:
        character, following = self._peek(), self._peek(2)[1:]
        if character == "`" or (character == "$" and following == "("):
            raise _Refused("commands are not run: write the value, or put it in single quotes")
        if character == "$":
            return self._variable()
        self.at += 1
        if character == "\\" and following and (following in escaped or following in escapes):
            self.at += 1
            return escapes.get(following, following)
        return character

    def _variable(self) -> str:
        self.at += 1
        braces = self._peek() == "{"
        self.at += braces
        name = self._take(_NAME)
        if braces and (not name or self._peek() != "}"):
            raise _Refused("expected ${NAME}: other expansions of a shell are not known here")
        self.at += braces
        # A $ without a name behind it is a $.
        return self.variables.get(name, self.environment.get(name, "")) if name else "$"
