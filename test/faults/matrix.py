"""The matrix of faults with the official Python SDKs: each cell one call, printed as one line of JSON with what is wrong.

KEYRUNG_URL and KEYRUNG_KEY say where; KEYRUNG_CELLS names a file with the cells, each with what must come of it.
"""

import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import anthropic
import openai

URL, KEY = os.environ["KEYRUNG_URL"], os.environ["KEYRUNG_KEY"]
ANTHROPIC = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)
OPENAI = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0)
CALLS_AT_ONCE = 8


def main():
    with open(os.environ["KEYRUNG_CELLS"], encoding="utf-8") as file:
        cells = json.load(file)
    with ThreadPoolExecutor(max_workers=CALLS_AT_ONCE) as pool:
        for cell, problems in zip(cells, pool.map(run, cells)):
            print(json.dumps({"name": cell["name"], "problems": problems}), flush=True)


class Said:
    """What came before the end or the error."""

    def __init__(self):
        self.text, self.reason = "", None


def run(cell):
    said, raised = Said(), None
    ask = ask_anthropic if cell["dialect"] == "anthropic" else ask_openai
    try:
        ask(cell, said)
    except Exception as error:  # what is none of the SDK's own is a problem of the cell
        raised = error
    return list(problems(cell, said, raised))


def ask_anthropic(cell, said):
    messages = [{"role": "user", "content": cell["content"]}]
    params = {"model": cell["model"], "max_tokens": 1000, "messages": messages, "extra_headers": headers(cell)}
    if cell["way"] == "whole":
        message = ANTHROPIC.messages.create(**params)
        said.text = "".join(block.text for block in message.content if block.type == "text")
        said.reason = message.stop_reason
    elif cell["way"] == "raw":
        with ANTHROPIC.messages.create(**params, stream=True) as stream:
            for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    said.text += event.delta.text
                if event.type == "message_delta":
                    said.reason = event.delta.stop_reason
    else:
        with ANTHROPIC.messages.stream(**params) as stream:
            for text in stream.text_stream:
                said.text += text
            said.reason = stream.get_final_message().stop_reason


def ask_openai(cell, said):
    messages = [{"role": "user", "content": cell["content"]}]
    params = {"model": cell["model"], "messages": messages, "extra_headers": headers(cell)}
    if cell["way"] == "whole":
        choice = OPENAI.chat.completions.create(**params).choices[0]
        said.text, said.reason = choice.message.content or "", choice.finish_reason
    elif cell["way"] == "raw":
        with OPENAI.chat.completions.create(**params, stream=True) as stream:
            for chunk in stream:
                for choice in chunk.choices:
                    said.text += choice.delta.content or ""
                    said.reason = choice.finish_reason or said.reason
    else:
        with OPENAI.chat.completions.stream(**params) as stream:
            try:
                for event in stream:
                    if event.type == "content.delta":
                        said.text += event.delta
                said.reason = stream.get_final_completion().choices[0].finish_reason
            except openai.ContentFilterFinishReasonError:  # the helper's way to tell this reason
                said.reason = "content_filter"


def headers(cell):
    return {"x-keyrung-fault": cell["fault"]}


def problems(cell, said, raised):
    expected = cell["expected"]
    if expected["ok"]:
        yield from same("raised", repr(raised), repr(None))
        yield from same("why it ended", said.reason, expected["reason"])
        if expected["text"] is not None:
            yield from same("the text", said.text, expected["text"])
        return
    sdk = anthropic if cell["dialect"] == "anthropic" else openai
    if not isinstance(raised, sdk.APIError):
        yield f"raised: got {raised!r}, expected an APIError of the SDK"
        return
    status = getattr(raised, "status_code", None)
    # A stream that has begun: Anthropic's SDK says 200 then, OpenAI's has no status.
    told = expected["event"] if expected["late"] and status in (None, 200) else expected["status"]
    yield from same("class", type(raised).__name__, told["class"])
    yield from same("status_code", status, told["status"])
    yield from same("type", raised.type, told["type"])
    if cell["dialect"] == "openai":
        yield from same("code", raised.code, told["code"])
    yield from body_problems(cell, raised, told)
    if isinstance(raised, sdk.APIStatusError):
        yield from same("a request_id", bool(re.fullmatch(r"req_[0-9A-Za-z]+", raised.request_id or "")), True)
    if told is expected["event"]:
        if cell["fault"] != "no-last-event":
            yield from same("why it ended", said.reason, None)
        yield from same("the beginning of the text", expected["wholeText"].startswith(said.text), True)
    else:
        yield from same("text before the error", said.text, "")


def body_problems(cell, raised, told):
    body = raised.body if isinstance(raised.body, dict) else {}
    # OpenAI's SDK takes the error out of its object.
    error = body.get("error", {}) if cell["dialect"] == "anthropic" else body
    yield from same("type in the body", error.get("type"), told["type"])
    if cell["dialect"] == "openai":
        code = error.get("code")  # the error's attribute is a text where this is a number
        yield from same("code in the body", None if code is None else str(code), told["code"])
    else:
        yield from same("request_id in the body", body.get("request_id"), raised.request_id)


def same(what, got, wanted):
    if got != wanted:
        yield f"{what}: got {got!r}, expected {wanted!r}"


if __name__ == "__main__":
    sys.exit(main())
