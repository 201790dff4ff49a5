"""Keep a copy of harmtracker's published incidents in step. Python 3.9 or later, nothing else.

    python follow.py https://example.org/api/v1/ copy.sqlite
    python follow.py https://example.org/api/v1/ copy.sqlite --filter country=MMR --every 600

The copy is a SQLite file: `incident` holds a document for each code that is there now, `gone` says
what became of the others, and `state` how far the copy goes. Each step is one transaction: kill
the program whenever you like, and start it again.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

# Codes that are asked for at once. An address is at most 4096 bytes long.
CODES_AT_ONCE = 100
# Entries that are read at once.
ENTRIES_AT_ONCE = 1000
# How often a request is tried again, and how long at most is waited for the next time, in seconds.
TRIES = 8
LONGEST_WAIT = 3600
TIMEOUT = 60

TABLES = """
    CREATE TABLE IF NOT EXISTS incident (
        code TEXT PRIMARY KEY, version INTEGER NOT NULL, document TEXT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS gone (
        code TEXT PRIMARY KEY, kind TEXT NOT NULL, merged_into TEXT
    );
    CREATE TABLE IF NOT EXISTS state (
        only INTEGER PRIMARY KEY CHECK (only = 1), filters TEXT NOT NULL, position INTEGER NOT NULL
    );
"""


class Refused(Exception):
    """The server will not answer this, however often it is asked."""


def fetch(url):
    """Status, headers and body, a file to read, of an answer. Raises OSError without one."""
    try:
        answer = urllib.request.urlopen(url, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        answer = error
    return answer.status, answer.headers, answer


def get(url, fetch=fetch, sleep=time.sleep):
    """Headers and body, a file to read, of an answer.

    Waits and asks again where nobody answers, or where it is told to:
    429 and 503 come with Retry-After, in seconds.
    """
    for attempt in range(TRIES):
        wait = 2**attempt
        try:
            status, headers, body = fetch(url)
        except OSError:
            status = None
        if status == 200:
            return headers, body
        if status is not None and status != 429 and status < 500:
            raise Refused(f"{url}: {status} {body.read(500).decode('utf-8', 'replace')}")
        if status is not None and (headers.get("Retry-After") or "").isdigit():
            wait = int(headers["Retry-After"])
        if attempt < TRIES - 1:
            sleep(min(wait, LONGEST_WAIT))
    raise OSError(f"{url} was tried {TRIES} times")


class Copy:
    """A copy of what some filters find. `filters` are pairs of names and values.

    They are filters of `changes/`: what can be taken out of a record, such as the words of its
    title, cannot be followed.
    """

    def __init__(self, base, path, filters=(), fetch=fetch, sleep=time.sleep):
        self.base = base.rstrip("/") + "/"
        self.filters = sorted(filters)
        self.get = lambda url: get(url, fetch, sleep)
        self.database = sqlite3.connect(path, isolation_level=None)
        # What is overwritten is gone from the file as well.
        self.database.execute("PRAGMA secure_delete = ON")
        self.database.executescript(TABLES)

    def close(self):
        self.database.close()

    def position(self):
        """The ledger position that the copy goes up to; None before there is a copy."""
        row = self.database.execute("SELECT filters, position FROM state").fetchone()
        if row is None:
            return None
        if json.loads(row[0]) != [list(pair) for pair in self.filters]:
            raise Refused("This copy was made with other filters: begin another file.")
        return row[1]

    def documents(self):
        """Code -> document, of what is there now."""
        rows = self.database.execute("SELECT code, document FROM incident ORDER BY code")
        return {code: json.loads(document) for code, document in rows}

    def follow(self):
        """Bring the copy up to where the ledger goes now; how many entries that took."""
        if self.position() is None:
            self.download()
        count = 0
        while True:
            taken, has_more = self.step()
            count += taken
            if not has_more:
                return count

    def download(self):
        """Begin: everything at once. It counts as one export."""
        asked = [*self.filters, ("format", "ndjson"), ("detail", "document")]
        headers, body = self.get(f"{self.base}incidents/?{urlencode(asked)}")
        with self.transaction():
            # A download that broke off ends in a line that is no JSON: then this raises, and
            # nothing was changed.
            for line in body:
                self.put(json.loads(line))
            self.move_to(int(headers["Harmtracker-Position"]))

    def step(self):
        """Apply one page of changes; how many entries it had, and whether there are more."""
        asked = [*self.filters, ("after", self.position()), ("limit", ENTRIES_AT_ONCE)]
        _headers, body = self.get(f"{self.base}changes/?{urlencode(asked)}")
        page = json.load(body)
        # The last entry of a code says what became of it; what it is now is asked for below.
        last = {entry["code"]: entry for entry in page["results"]}
        wanted = [code for code, entry in last.items() if is_there(entry)]
        found = {}
        for start in range(0, len(wanted), CODES_AT_ONCE):
            found.update(self.current(wanted[start : start + CODES_AT_ONCE]))
        with self.transaction():
            for code, entry in last.items():
                # A record that is not found any more left meanwhile; a later entry says so.
                if code in found:
                    self.put(found[code])
                else:
                    self.drop(code)
                if entry["kind"] in ("retracted", "merged"):
                    values = (code, entry["kind"], entry.get("merged_into"))
                    self.database.execute("INSERT OR REPLACE INTO gone VALUES (?, ?, ?)", values)
            self.move_to(page["resume"])
        return len(page["results"]), page["next"] is not None

    def current(self, codes):
        """Code -> document, of those of these records that the filters find now."""
        asked = [*self.filters, ("code", ",".join(codes)), ("detail", "document"), ("limit", 100)]
        url = f"{self.base}incidents/?{urlencode(asked)}"
        found = {}
        while url is not None:
            _headers, body = self.get(url)
            page = json.load(body)
            found.update((document["code"], document) for document in page["results"])
            url = page["next"]
        return found

    # --- Writing, inside a transaction ---

    def transaction(self):
        self.database.execute("BEGIN IMMEDIATE")
        return self.database  # commits at the end of its block, rolls back where that raises

    def put(self, document):
        text = json.dumps(document, ensure_ascii=False)
        values = (document["code"], document["version"], text)
        self.database.execute("INSERT OR REPLACE INTO incident VALUES (?, ?, ?)", values)
        self.database.execute("DELETE FROM gone WHERE code = ?", values[:1])

    def drop(self, code):
        self.database.execute("DELETE FROM incident WHERE code = ?", (code,))

    def move_to(self, position):
        values = (1, json.dumps(self.filters), position)
        self.database.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", values)


def is_there(entry):
    """Whether the record can still be among what the filters find."""
    return entry["kind"] not in ("retracted", "merged") and entry.get("within") is not False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("base", help="address of the API, such as https://example.org/api/v1/")
    parser.add_argument("path", help="the SQLite file")
    parser.add_argument(
        "--filter", action="append", default=[], metavar="NAME=VALUE", help="may be repeated"
    )
    parser.add_argument("--every", type=float, metavar="SECONDS", help="go on for ever")
    options = parser.parse_args()
    filters = [tuple(each.split("=", 1)) for each in options.filter]
    copy = Copy(options.base, options.path, filters)
    while True:
        try:
            count = copy.follow()
            print(f"{count} changes; the copy goes up to position {copy.position()}.", flush=True)
        except Refused as error:
            sys.exit(str(error))
        except (OSError, ValueError) as error:  # nobody answers, or an answer broke off
            print(f"Not now: {error}", file=sys.stderr, flush=True)
            if options.every is None:
                sys.exit(1)
        if options.every is None:
            return
        time.sleep(options.every)


if __name__ == "__main__":
    main()
