"""The cases of Anthropic's Python SDK."""

import json

import anthropic

# Strict: the SDK checks every field of an answer and of each event against its schema.
MODES = ("whole", "strict whole", "helper", "raw", "strict raw")


def anthropic_cases(url, key, matrix):
    """One (name, check) for each model, way of asking and scenario, and some for the SDK as a whole."""
    clients = {
        strict: anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, _strict_response_validation=strict)
        for strict in (False, True)
    }
    for line in matrix["lines"]:
        for mode in MODES:
            asker = Asker(clients, line, mode)
            for scenario in SCENARIOS:
                if applies(scenario, line):
                    yield (
                        f"anthropic {line['model']} {mode}: {scenario.__name__}",
                        lambda scenario=scenario, asker=asker, line=line: scenario(asker, line, matrix),
                    )
        yield f"anthropic {line['model']}: beta namespace", lambda line=line: beta(clients[False], line)
    for strict, client in clients.items():
        kind = "strict" if strict else "lenient"
        yield f"anthropic {kind}: lists and shows models", lambda client=client: lists_models(client, matrix)
        yield f"anthropic {kind}: counts tokens", lambda client=client: counts_tokens(client, matrix)
    yield "anthropic: wrong key", lambda: wrong_key(url)
    yield "anthropic: unknown model", lambda: unknown_model(clients[False])
    yield "anthropic: mounted below /api/proxy", lambda: mounted(f"{url}/api/proxy", key)


class Asker:
    """Asks one model in one way and checks what every answer must have."""

    def __init__(self, clients, line, mode):
        self.client = clients[mode.startswith("strict")]
        self.line, self.mode = line, mode.removeprefix("strict ")

    def ask(self, **params):
        params = {"model": self.line["model"], "max_tokens": 4096, **params}
        message = self.send(params)
        assert message.id.startswith("msg_"), message.id
        assert (message.type, message.role, message.model) == ("message", "assistant", self.line["model"])
        assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message.usage
        return message

    def send(self, params):
        messages = self.client.messages
        if self.mode == "helper":
            with messages.stream(**params) as stream:
                said = "".join(stream.text_stream)
                message = stream.get_final_message()
            assert said == text_of(message)
            return message
        if self.mode == "raw":
            with messages.create(**params, stream=True) as stream:
                return fold(stream)
        message = messages.create(**params)
        assert message._request_id.startswith("req_"), message._request_id
        return message


def fold(stream):
    """The message that raw events make; the order of the events is checked on the way."""
    message, inputs, stopped = None, {}, False
    for event in stream:
        assert not stopped, "an event after message_stop"
        if event.type == "message_start":
            assert message is None
            message = event.message
            assert message.content == []
        elif event.type == "content_block_start":
            assert event.index == len(message.content)
            message.content.append(event.content_block)
            inputs[event.index] = ""
        elif event.type == "content_block_delta":
            assert event.index == len(message.content) - 1
            block, delta = message.content[event.index], event.delta
            if delta.type == "text_delta":
                block.text += delta.text
            elif delta.type == "thinking_delta":
                block.thinking += delta.thinking
            elif delta.type == "signature_delta":
                block.signature = delta.signature
            elif delta.type == "input_json_delta":
                inputs[event.index] += delta.partial_json
        elif event.type == "content_block_stop":
            block = message.content[event.index]
            if block.type == "tool_use":
                block.input = json.loads(inputs[event.index] or "{}")
        elif event.type == "message_delta":
            message.stop_reason = event.delta.stop_reason
            message.usage.output_tokens = event.usage.output_tokens
            if event.usage.input_tokens is not None:
                message.usage.input_tokens = event.usage.input_tokens
        elif event.type == "message_stop":
            stopped = True
    assert stopped, "no message_stop"
    return message


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def calls_of(message):
    assert message.stop_reason == "tool_use", message.stop_reason
    return [block for block in message.content if block.type == "tool_use"]


def user(content):
    return {"role": "user", "content": content}


def answered(message, contents):
    """The turn as it came, and a result for each of its calls."""
    calls = calls_of(message)
    assert len(calls) == len(contents), calls
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": content} for call, content in zip(calls, contents)
    ]
    return [{"role": "assistant", "content": message.content}, user(results)]


def weather_and_clock(matrix):
    weather = {"name": "weather", "description": "The weather in a city.", "input_schema": matrix["weatherSchema"]}
    return [weather, {"name": "clock", "input_schema": {"type": "object"}}]


def text(asker, line, matrix):
    message = asker.ask(system="Answer briefly.", messages=[user(matrix["text"])])
    assert message.stop_reason == "end_turn"
    assert text_of(message).startswith(f'You said: "{matrix["text"]}"'), text_of(message)
    assert f"This is the sandbox's {line['model']}." in text_of(message)


def tools(asker, line, matrix):
    both, messages = weather_and_clock(matrix), [user("Please use both tools.")]
    called = asker.ask(tools=both, messages=messages)
    assert [(call.name, call.input) for call in calls_of(called)] == [("weather", {"city": "city"}), ("clock", {})]
    answer = asker.ask(tools=both, messages=[*messages, *answered(called, ["21 degrees", "noon"])])
    assert answer.stop_reason == "end_turn"
    assert text_of(answer) == "The tool weather says: 21 degrees\nThe tool clock says: noon", text_of(answer)


def image(asker, line, matrix):
    source = {"type": "base64", "media_type": "image/png", "data": matrix["png"]}
    message = asker.ask(messages=[user([{"type": "text", "text": "Look"}, {"type": "image", "source": source}])])
    assert "an image of type image/png and 70 bytes" in text_of(message), text_of(message)


def thinking(asker, line, matrix):
    both, messages = weather_and_clock(matrix), [user("How is the weather?")]
    called = asker.ask(thinking=line["thinking"], tools=both, messages=messages)
    assert any(block.type == "thinking" and block.signature for block in called.content), called.content
    back = [*messages, *answered(called, ["21 degrees"])]
    answer = asker.ask(thinking=line["thinking"], tools=both, messages=back)
    assert text_of(answer) == "The tool weather says: 21 degrees", text_of(answer)


def structured(asker, line, matrix):
    output = {"format": {"type": "json_schema", "schema": matrix["reportSchema"]}}
    message = asker.ask(output_config=output, messages=[user("Report")])
    assert json.loads(text_of(message)) == {"city": "city", "degrees": 1.5}, text_of(message)


def structured_refused(asker, line, matrix):
    try:
        structured(asker, line, matrix)
    except anthropic.BadRequestError as error:
        assert error.body["error"]["type"] == "invalid_request_error", error.body
        assert "output_config.format" in str(error), str(error)
        assert error.request_id.startswith("req_")
    else:
        raise AssertionError("was not refused")


SCENARIOS = (text, tools, image, thinking, structured, structured_refused)


def applies(scenario, line):
    wanted = {image: "image", thinking: "thinking", structured: "schema"}.get(scenario)
    if scenario is structured_refused:
        return not line["schema"]
    return wanted is None or bool(line.get(wanted))


def beta(client, line):
    # This SDK adds `?beta=true` to the path.
    betas = ["interleaved-thinking-2025-05-14", "not-yet-known-2099-01-01"]
    asked = {"model": line["model"], "messages": [user("Hello")], "betas": betas}
    message = client.beta.messages.create(**asked, max_tokens=1000)
    assert 'You said: "Hello"' in text_of(message)
    assert client.beta.messages.count_tokens(**asked).input_tokens > 0


def lists_models(client, matrix):
    listed = [model.id for model in client.models.list(limit=9)]
    assert len(listed) == len(set(listed)) == matrix["modelCount"], len(listed)
    for line in matrix["lines"]:
        assert line["model"] in listed
        assert client.models.retrieve(line["model"]).id == line["model"]


def counts_tokens(client, matrix):
    for line in matrix["lines"]:
        counted = client.messages.count_tokens(model=line["model"], messages=[user("Hello")])
        assert counted.input_tokens > 0


def wrong_key(url):
    client = anthropic.Anthropic(base_url=url, api_key="sk-ant-wrong", max_retries=0)
    try:
        client.messages.create(model="gpt-4.1", max_tokens=10, messages=[user("Hello")])
    except anthropic.AuthenticationError as error:
        assert error.body["error"]["type"] == "authentication_error"
    else:
        raise AssertionError("was not refused")


def unknown_model(client):
    for stream in (False, True):
        try:
            client.messages.create(model="cloude-sonnet-5", max_tokens=10, messages=[user("Hello")], stream=stream)
        except anthropic.NotFoundError as error:
            assert "claude-sonnet-5" in str(error), str(error)
        else:
            raise AssertionError("was not refused")


def mounted(url, key):
    client = anthropic.Anthropic(base_url=url, api_key=key, max_retries=0)
    message = client.messages.create(model="gpt-4.1", max_tokens=100, messages=[user("Hello")])
    assert 'You said: "Hello"' in text_of(message)
