"""Checks of what the pages say for Python: runs their blocks of code, and raises every status to see its class."""

import contextlib
import http.server
import io
import json
import os
import threading
import traceback

import anthropic
import openai

URL, KEY = os.environ["KEYRUNG_URL"], os.environ["KEYRUNG_KEY"]
MESSAGES = [{"role": "user", "content": "Hello"}]


def main():
    for block in json.loads(os.environ["KEYRUNG_BLOCKS"]):
        report(f"runs {block['name']}", lambda block=block: run_block(block))
    with vendor() as origin:
        for line in json.loads(os.environ["KEYRUNG_CLASSES"]):
            report(f"raises {line['status']}", lambda line=line: check_classes(origin, line))


def report(name, check):
    result = {"name": name, "ok": True, "output": ""}
    try:
        result["output"] = check() or ""
    except Exception as error:
        result |= {"ok": False, "error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc(limit=-4)}
    print(json.dumps(result), flush=True)


def run_block(block):
    code = compile(block["code"].replace("http://127.0.0.1:8787", URL), block["name"], "exec")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(code, {"__name__": "__main__"})
    return output.getvalue()


def check_classes(origin, line):
    status = line["status"]
    raised = raised_by(anthropic, lambda: ask_anthropic(f"{origin}/{status}"))
    assert type(raised).__name__ == line["anthropicPython"], type(raised)
    assert isinstance(raised, anthropic.InternalServerError) == (status >= 500), type(raised).__mro__
    raised = raised_by(openai, lambda: ask_openai(f"{origin}/{status}"))
    assert type(raised).__name__ == line["openaiPython"], type(raised)
    assert isinstance(raised, openai.InternalServerError) == (status >= 500), type(raised).__mro__


def raised_by(sdk, ask):
    try:
        ask()
    except sdk.APIStatusError as error:
        return error
    raise AssertionError("nothing was raised")


def ask_anthropic(url):
    anthropic.Anthropic(base_url=url, api_key="x", max_retries=0).messages.create(
        model="x", max_tokens=1, messages=MESSAGES
    )


def ask_openai(url):
    openai.OpenAI(base_url=url, api_key="x", max_retries=0).chat.completions.create(model="x", messages=MESSAGES)


@contextlib.contextmanager
def vendor():
    """A server that answers every path with the status that it begins with."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusals)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


class Refusals(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = b'{"type":"error","error":{"type":"x","message":"x","param":null,"code":null}}'
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    main()
