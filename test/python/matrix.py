"""Asks a Keyrung gateway through the official Python SDKs and prints one line of JSON for each case.

KEYRUNG_URL and KEYRUNG_KEY tell where; KEYRUNG_MATRIX holds the lines of test/sdk/matrix.ts and the contents that both
languages share.
"""

import json
import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

from anthropic_cases import anthropic_cases
from openai_cases import openai_cases


def run(case):
    name, check = case
    try:
        check()
        return {"name": name, "ok": True}
    except Exception as error:
        return {"name": name, "ok": False, "error": f"{type(error).__name__}: {error}"[:1000], "trace": traceback.format_exc()[-3000:]}


def main():
    url, key = os.environ["KEYRUNG_URL"], os.environ["KEYRUNG_KEY"]
    matrix = json.loads(os.environ["KEYRUNG_MATRIX"])
    cases = [*anthropic_cases(url, key, matrix), *openai_cases(url, key, matrix)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        for result in pool.map(run, cases):
            print(json.dumps(result), flush=True)


if __name__ == "__main__":
    sys.exit(main())
