"""The loop that people write around an SDK: five attempts, backoff with jitter, Retry-After honoured, few statuses retried.

Asks each model named on the command line (`stream:` before a name streams it) and prints a line of JSON for it.
KEYRUNG_URL and KEYRUNG_KEY say where; KEYRUNG_WAIT shortens the waits: 0.01 makes a second ten milliseconds.
"""

import json
import os
import random
import sys
import time

import anthropic

ATTEMPTS = 5
RETRIED = (429, 500, 529)
WAIT = float(os.environ.get("KEYRUNG_WAIT", "1"))

# The loop retries, so the SDK must not: five times three would be fifteen calls.
client = anthropic.Anthropic(base_url=os.environ["KEYRUNG_URL"], api_key=os.environ["KEYRUNG_KEY"], max_retries=0)


def with_retries(ask, waits):
    for attempt in range(ATTEMPTS):
        try:
            return ask()
        except anthropic.APIStatusError as error:
            if error.status_code not in RETRIED or attempt == ATTEMPTS - 1:
                raise
            seconds = wait_after(error, attempt)
            waits.append(seconds)
            time.sleep(seconds * WAIT)


def wait_after(error, attempt):
    """As long as the answer says, else 1, 2, 4, 4 s, give or take a quarter."""
    said = error.response.headers.get("retry-after")
    if said is not None:
        return float(said)
    return min(2**attempt, 4) * random.uniform(0.75, 1.25)


def ask_whole(model):
    return client.messages.create(model=model, max_tokens=500, messages=[{"role": "user", "content": "Hello!"}])


def ask_streamed(model):
    messages = [{"role": "user", "content": "Hello!"}]
    with client.messages.stream(model=model, max_tokens=500, messages=messages) as stream:
        return stream.get_final_message()


def main():
    for name in sys.argv[1:]:
        model = name.removeprefix("stream:")
        ask, waits = ask_streamed if name != model else ask_whole, []
        told = {"name": name}
        try:
            told["said"] = with_retries(lambda ask=ask, model=model: ask(model), waits).content[0].text
        except anthropic.APIStatusError as error:
            told |= {"raised": type(error).__name__, "status": error.status_code, "type": error.type}
        print(json.dumps(told | {"waits": waits}), flush=True)


if __name__ == "__main__":
    main()
