"""Runs the Python of a Markdown file, block after block, with nothing but the package: `python readme.py README.md`."""

import re
import sys
from pathlib import Path

blocks = re.findall(r"```python\n(.*?)```", Path(sys.argv[1]).read_text(encoding="utf-8"), re.S)
assert blocks, "there is no Python in it"
for block in blocks:
    exec(compile(block, sys.argv[1], "exec"), {"__name__": "__main__"})
print(f"{len(blocks)} blocks of Python ran")
