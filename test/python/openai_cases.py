"""The cases of OpenAI's Python SDK."""

import json
from types import SimpleNamespace

import openai
from pydantic import BaseModel

# Strict: the SDK checks every field of an answer and of each event against its schema.
MODES = ("whole", "strict whole", "helper", "raw", "strict raw")


def openai_cases(url, key, matrix):
    """One (name, check) for each model, way of asking and scenario, and some for the SDK as a whole."""
    clients = {
        strict: openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, _strict_response_validation=strict)
        for strict in (False, True)
    }
    for line in matrix["lines"]:
        for mode in MODES:
            asker = Asker(clients, line, mode)
            for scenario in SCENARIOS:
                if applies(scenario, line):
                    yield (
                        f"openai {line['model']} {mode}: {scenario.__name__}",
                        lambda scenario=scenario, asker=asker, line=line: scenario(asker, line, matrix),
                    )
        if line["schema"]:
            yield f"openai {line['model']}: parse", lambda line=line: parsed(clients[False], line)
    for strict, client in clients.items():
        kind = "strict" if strict else "lenient"
        yield f"openai {kind}: lists and shows models", lambda client=client: lists_models(client, matrix)
    yield "openai: wrong key", lambda: wrong_key(url)
    yield "openai: unknown model", lambda: unknown_model(clients[False])
    yield "openai: mounted below /api/proxy", lambda: mounted(f"{url}/api/proxy/v1", key)


class Asker:
    """Asks one model in one way and checks what every answer must have."""

    def __init__(self, clients, line, mode):
        self.client = clients[mode.startswith("strict")]
        self.line, self.mode = line, mode.removeprefix("strict ")

    def ask(self, **params):
        answer = self.send({"model": self.line["model"], **params})
        assert answer.id.startswith("chatcmpl-"), answer.id
        assert answer.model == self.line["model"], answer.model
        usage = answer.usage
        assert usage.prompt_tokens > 0 and usage.completion_tokens > 0, usage
        # xAI's own format, which passes unchanged, counts reasoning beside the completion.
        details = usage.completion_tokens_details
        apart = (details.reasoning_tokens or 0) if details and self.line["vendor"] == "xai" else 0
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens + apart, usage
        return answer

    def send(self, params):
        completions = self.client.chat.completions
        if self.mode == "helper":
            with completions.stream(**params, stream_options={"include_usage": True}) as stream:
                kinds = [event.type for event in stream]
                completion = stream.get_final_completion()
            assert "chunk" in kinds, kinds
            return answer_of(completion)
        if self.mode == "raw":
            with completions.create(**params, stream=True, stream_options={"include_usage": True}) as stream:
                return fold(stream)
        completion = completions.create(**params)
        assert completion._request_id.startswith("req_"), completion._request_id
        return answer_of(completion)


def answer_of(completion):
    """What the scenarios look at; the message goes back as the SDK gave it."""
    [choice] = completion.choices
    return SimpleNamespace(
        id=completion.id,
        model=completion.model,
        content=choice.message.content,
        calls=[(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls or []],
        finish=choice.finish_reason,
        usage=completion.usage,
        message=choice.message,
    )


def fold(stream):
    """The answer that raw chunks make."""
    message = {"role": "assistant", "content": None}
    first = finish = usage = None
    for chunk in stream:
        first = first or chunk
        assert (chunk.id, chunk.created, chunk.object) == (first.id, first.created, "chat.completion.chunk")
        if not chunk.choices:
            assert finish is not None and chunk.usage is not None
            usage = chunk.usage
            continue
        [choice] = chunk.choices
        assert finish is None, "a choice after the finish"
        finish = choice.finish_reason
        add(message, choice.delta)
    assert finish is not None, "no finish"
    calls = message.get("tool_calls", [])
    return SimpleNamespace(
        id=first.id,
        model=first.model,
        content=message["content"],
        calls=[(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in calls],
        finish=finish,
        usage=usage,
        message=message,
    )


def add(message, delta):
    extra = delta.model_extra or {}
    for field, value in (("content", delta.content), ("reasoning_content", extra.get("reasoning_content"))):
        if value is not None:
            message[field] = (message.get(field) or "") + value
    if extra.get("reasoning_details"):
        message["reasoning_details"] = message.get("reasoning_details", []) + extra["reasoning_details"]
    for piece in delta.tool_calls or []:
        calls = message.setdefault("tool_calls", [])
        if piece.index == len(calls):
            call = piece.model_dump(exclude_unset=True)
            del call["index"]
            calls.append(call)
        else:
            calls[piece.index]["function"]["arguments"] += piece.function.arguments or ""


def user(content):
    return {"role": "user", "content": content}


def answered(answer, contents):
    """The turn as it came, and a result for each of its calls."""
    assert answer.finish == "tool_calls", answer.finish
    assert len(answer.calls) == len(contents), answer.calls
    return [
        answer.message,
        *(
            {"role": "tool", "tool_call_id": call_id, "content": content}
            for (call_id, _, _), content in zip(answer.calls, contents)
        ),
    ]


def weather_and_clock(matrix):
    weather = {"name": "weather", "description": "The weather in a city.", "parameters": matrix["weatherSchema"]}
    return [{"type": "function", "function": weather}, {"type": "function", "function": {"name": "clock"}}]


def text(asker, line, matrix):
    answer = asker.ask(messages=[{"role": "system", "content": "Answer briefly."}, user(matrix["text"])])
    assert answer.finish == "stop"
    assert answer.content.startswith(f'You said: "{matrix["text"]}"'), answer.content
    assert f"This is the sandbox's {line['model']}." in answer.content


def tools(asker, line, matrix):
    both, messages = weather_and_clock(matrix), [user("Please use both tools.")]
    called = asker.ask(tools=both, messages=messages)
    named = [(name, json.loads(arguments)) for _, name, arguments in called.calls]
    assert named == [("weather", {"city": "city"}), ("clock", {})], named
    answer = asker.ask(tools=both, messages=[*messages, *answered(called, ["21 degrees", "noon"])])
    assert answer.finish == "stop"
    assert answer.content == "The tool weather says: 21 degrees\nThe tool clock says: noon", answer.content


def image(asker, line, matrix):
    part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{matrix['png']}"}}
    answer = asker.ask(messages=[user([{"type": "text", "text": "Look"}, part])])
    assert "an image of type image/png and 70 bytes" in answer.content, answer.content


def thinking(asker, line, matrix):
    both, messages = weather_and_clock(matrix), [user("How is the weather?")]
    params = {"reasoning_effort": line["effort"], "max_completion_tokens": 4096, "tools": both}
    called = asker.ask(**params, messages=messages)
    assert called.usage.completion_tokens_details.reasoning_tokens > 0, called.usage
    answer = asker.ask(**params, messages=[*messages, *answered(called, ["21 degrees"])])
    assert answer.content == "The tool weather says: 21 degrees", answer.content


def structured(asker, line, matrix):
    wanted = {"name": "report", "schema": matrix["reportSchema"], "strict": True}
    params = {"response_format": {"type": "json_schema", "json_schema": wanted}}
    answer = asker.ask(**params, messages=[user("Report")])
    assert json.loads(answer.content) == {"city": "city", "degrees": 1.5}, answer.content


def structured_refused(asker, line, matrix):
    try:
        structured(asker, line, matrix)
    except openai.BadRequestError as error:
        assert (error.type, error.param) == ("invalid_request_error", "response_format"), error.body
        assert error.request_id.startswith("req_")
    else:
        raise AssertionError("was not refused")


SCENARIOS = (text, tools, image, thinking, structured, structured_refused)


def applies(scenario, line):
    wanted = {image: "image", thinking: "effort", structured: "schema"}.get(scenario)
    if scenario is structured_refused:
        return not line["schema"]
    return wanted is None or bool(line.get(wanted))


class Report(BaseModel):
    city: str
    degrees: float


def parsed(client, line):
    # The parsed message goes back with all that the SDK added to it.
    completions, messages = client.chat.completions, [user("Report")]
    [choice] = completions.parse(model=line["model"], messages=messages, response_format=Report).choices
    assert choice.message.parsed == Report(city="city", degrees=1.5), choice.message
    [choice] = completions.parse(model=line["model"], messages=[*messages, choice.message, user("Go on")]).choices
    assert 'You said: "Go on" (with 3 turns)' in choice.message.content, choice.message

    tools, messages = [openai.pydantic_function_tool(Report)], [user("Report")]
    [choice] = completions.parse(model=line["model"], messages=messages, tools=tools).choices
    [call] = choice.message.tool_calls
    assert call.function.parsed_arguments == Report(city="city", degrees=1.5), call
    result = {"role": "tool", "tool_call_id": call.id, "content": "noted"}
    [choice] = completions.parse(model=line["model"], messages=[*messages, choice.message, result], tools=tools).choices
    assert choice.message.content == "The tool Report says: noted", choice.message


def lists_models(client, matrix):
    listed = [model.id for model in client.models.list()]
    assert len(listed) == len(set(listed)) == matrix["modelCount"], len(listed)
    for line in matrix["lines"]:
        assert line["model"] in listed
        assert client.models.retrieve(line["model"]).id == line["model"]


def wrong_key(url):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="sk-proj-wrong", max_retries=0)
    try:
        client.chat.completions.create(model="gpt-4.1", messages=[user("Hello")])
    except openai.AuthenticationError as error:
        assert (error.code, error.type) == ("invalid_api_key", "invalid_request_error"), error.body
    else:
        raise AssertionError("was not refused")


def unknown_model(client):
    for stream in (False, True):
        try:
            client.chat.completions.create(model="gtp-4.1", messages=[user("Hello")], stream=stream)
        except openai.NotFoundError as error:
            assert error.code == "model_not_found" and "gpt-4.1" in str(error), error.body
        else:
            raise AssertionError("was not refused")


def mounted(url, key):
    client = openai.OpenAI(base_url=url, api_key=key, max_retries=0)
    completion = client.chat.completions.create(model="claude-sonnet-5", messages=[user("Hello")])
    assert 'You said: "Hello"' in completion.choices[0].message.content
