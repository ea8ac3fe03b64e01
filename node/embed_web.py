#!/usr/bin/env python3
"""Writes the C source that makes the web page part of the program.

usage: embed_web.py OUTPUT DEPENDENCIES DIRECTORY

Every file below DIRECTORY that a browser may ask for is included as it is;
DEPENDENCIES names them for the build (a depfile)."""

import pathlib
import sys

SERVED = {".html", ".js", ".css", ".json", ".svg", ".png", ".ico"}
NOT_SERVED = {"package.json", "package-lock.json"}

HEADER = """/* Made by embed_web.py. */
#include "node/web_pages.h"

"""

ONE_FILE = """extern const uint8_t erx_web_{index}[], erx_web_{index}_end[];
__asm__(".pushsection .rodata\\n"
        ".hidden erx_web_{index}\\n.global erx_web_{index}\\nerx_web_{index}:\\n"
        ".incbin \\"{path}\\"\\n"
        ".hidden erx_web_{index}_end\\n.global erx_web_{index}_end\\nerx_web_{index}_end:\\n"
        ".byte 0\\n.popsection\\n");
"""


def main(arguments):
    output, dependencies, directory = (pathlib.Path(argument) for argument in arguments)
    files = sorted(
        path
        for path in directory.rglob("*")
        if path.suffix in SERVED
        and path.name not in NOT_SERVED
        and "node_modules" not in path.parts
        and path.is_file()
    )
    text = HEADER
    for index, path in enumerate(files):
        text += ONE_FILE.format(index=index, path=path.resolve())
    text += "\nconst erx_web_file_t erx_web_files[] = {\n"
    for index, path in enumerate(files):
        name = "/" + path.relative_to(directory).as_posix()
        text += f'    {{"{name}", erx_web_{index}, erx_web_{index}_end}},\n'
    text += f"}};\n\nconst size_t erx_web_file_count = {len(files)};\n"
    output.write_text(text)
    names = " ".join(str(path.resolve()).replace(" ", "\\ ") for path in files)
    dependencies.write_text(f"{output}: {names}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
