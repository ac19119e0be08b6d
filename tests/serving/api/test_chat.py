"""The client that OpenAI publishes, against a real server of the miniature."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import openai
import pytest

from flamingo.inference.predictor import Predictor
from tests.serving.api.running import Running, episode, image_part, messages_of, url_of


@pytest.fixture
def client(server: Running) -> Iterator[openai.OpenAI]:
    address = f"{server.url}/v1"
    with openai.OpenAI(base_url=address, api_key="none", max_retries=0, timeout=60) as client:
        yield client


def ask(client: openai.OpenAI, **given: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "miniature", "messages": messages_of(episode()), **given}
    )


def test_turns_that_are_supports_teach_what_to_answer(
    client: openai.OpenAI, miniature: Predictor
) -> None:
    shown = episode(index=1)
    answer = ask(client, messages=messages_of(shown))
    choice = answer.choices[0]
    assert choice.message.content == shown.answer
    assert choice.message.role == "assistant"
    assert choice.finish_reason == "stop"
    assert choice.logprobs is None
    assert answer.object == "chat.completion"
    assert answer.model == "miniature"
    usage = answer.usage
    assert usage.prompt_tokens > 0 < usage.completion_tokens
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_a_history_that_was_read_is_free(client: openai.OpenAI) -> None:
    shown = messages_of(episode(index=7))
    ask(client, messages=shown)
    other = messages_of(episode(index=8))[-1:]
    again = ask(client, messages=[*shown[:-1], *other])
    details = again.usage.prompt_tokens_details
    assert 0 < details.cached_tokens < again.usage.prompt_tokens


def test_a_stream_says_the_same_word_by_word(client: openai.OpenAI) -> None:
    whole = ask(client)
    options = {"include_usage": True}
    chunks = list(ask(client, stream=True, stream_options=options))
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    pieces = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert len([piece for piece in pieces if piece]) > 1
    assert "".join(pieces) == whole.choices[0].message.content
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens


def test_a_stream_ends_with_done_and_tells_no_usage_unasked(server: Running) -> None:
    body = {"model": "miniature", "messages": messages_of(episode()), "stream": True}
    answer = httpx.post(f"{server.url}/v1/chat/completions", json=body, timeout=60)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, last, nothing = answer.text.split("\n\n")
    assert (last, nothing) == ("data: [DONE]", "")
    assert not any("usage" in event for event in events)


def test_several_answers_have_numbers(client: openai.OpenAI) -> None:
    given: dict[str, Any] = {"n": 3, "temperature": 1.5, "seed": 4}
    whole = ask(client, **given)
    assert [choice.index for choice in whole.choices] == [0, 1, 2]
    texts = ["", "", ""]
    for chunk in ask(client, stream=True, **given):
        texts[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert texts == [choice.message.content for choice in whole.choices]


def test_logprobs(client: openai.OpenAI) -> None:
    [choice] = ask(client, logprobs=True, top_logprobs=3).choices
    tokens = choice.logprobs.content
    assert b"".join(bytes(t.bytes) for t in tokens).decode().strip() == choice.message.content
    for token in tokens:
        assert len(token.top_logprobs) == 3
        assert token.top_logprobs[0].token == token.token
        assert token.top_logprobs[0].logprob == pytest.approx(token.logprob, abs=1e-4)
        assert token.logprob <= 0


def test_ends(client: openai.OpenAI) -> None:
    color, thing = episode().answer.split()
    stopped = ask(client, stop=[thing]).choices[0]
    assert (stopped.message.content, stopped.finish_reason) == (color, "stop")
    cut = ask(client, max_tokens=1).choices[0]
    assert (cut.message.content, cut.finish_reason) == (color, "length")
    assert ask(client, max_completion_tokens=1).choices[0].message.content == color


def test_a_clip_is_seen(client: openai.OpenAI) -> None:
    shown = episode("clip-motion", shots=4)
    messages: list[dict[str, Any]] = []
    for support in (*shown.supports, shown.query):
        clip = {"type": "video_url", "video_url": {"url": url_of(support.visuals[0]), "fps": 10}}
        text = {"type": "text", "text": f"Question: {support.fields['question']} Answer:"}
        messages.append({"role": "user", "content": [clip, text]})
        if "answer" in support.fields:
            messages.append({"role": "assistant", "content": support.fields["answer"]})
    assert ask(client, messages=messages).choices[0].message.content == shown.answer


def test_a_file_is_uploaded_and_named(client: openai.OpenAI) -> None:
    shown = episode(index=2)
    content = base64.b64decode(url_of(shown.query.visuals[0]).partition(",")[2])
    file = client.files.create(file=("query.png", content, "image/png"), purpose="vision")
    assert (file.filename, file.bytes, file.status) == ("query.png", len(content), "processed")
    *messages, last = messages_of(shown)
    last["content"][0] = {"type": "file", "file": {"file_id": file.id}}
    assert ask(client, messages=[*messages, last]).choices[0].message.content == shown.answer
    assert client.files.retrieve(file.id).id == file.id
    assert file.id in [one.id for one in client.files.list()]
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        ask(client, messages=[*messages, last])


def test_what_a_client_sends_back_is_taken(client: openai.OpenAI) -> None:
    messages = messages_of(episode())
    said = ask(client).choices[0].message.model_dump()
    again = ask(client, messages=[*messages, said, messages[-1]])
    assert again.choices[0].message.content == said["content"]


def test_models(client: openai.OpenAI) -> None:
    [model] = client.models.list()
    assert model.id == "miniature"
    facts = client.models.retrieve("miniature").model_dump()["flamingo"]
    assert facts["templates"]["question-answer"] == ["question", "answer"]
    assert facts["has_attention"] is True
    assert facts["limits"]["visuals"] > 0
    with pytest.raises(openai.NotFoundError, match="miniature"):
        client.models.retrieve("other/model")


USER = {"role": "user", "content": "Hello"}


@pytest.mark.parametrize(
    ("given", "param", "says"),
    [
        ({"tools": [{"type": "function"}]}, "tools", "cannot be honored"),
        ({"response_format": {"type": "json_object"}}, "response_format", "cannot be honored"),
        ({"presence_penalty": 0.5}, "presence_penalty", "cannot be honored"),
        ({"extra_body": {"top_k": 3}}, "top_k", "no field"),
        ({"n": 1000}, "n", "at most"),
        ({"max_tokens": 10**6}, "max_tokens", "at most"),
        ({"temperature": 3}, "temperature", "less than or equal to 2"),
        ({"temperature": "hot"}, "temperature", "number"),
        ({"stop": list("abcde")}, "stop", "at most 4"),
        ({"stop": ""}, "stop", "characters"),
        ({"top_logprobs": 2}, "top_logprobs", "logprobs"),
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages[0].role", "'user'"),
        ({"messages": [USER, {"role": "assistant", "content": "a"}]}, "messages[1].role", "last"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages[0].content", "empty"),
        ({"messages": [{"role": "user", "content": "a <image>"}]}, None, "<image>"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].image_url",
            "missing",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages[0].content[0]",
            "input_audio",
        ),
    ],
)
def test_what_cannot_be_honored_is_named(
    client: openai.OpenAI, given: dict[str, Any], param: str | None, says: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, **{"messages": [USER], **given})
    assert caught.value.param == param
    assert says in caught.value.body["message"]  # type: ignore[index,call-overload]
    assert caught.value.type == "invalid_request_error"


def test_neutral_values_are_taken(client: openai.OpenAI) -> None:
    answer = ask(
        client,
        tools=[],
        presence_penalty=0,
        frequency_penalty=0.0,
        response_format={"type": "text"},
        logit_bias={},
        user="someone",
        store=False,
    )
    assert answer.choices[0].message.content == episode().answer


def test_a_picture_that_is_none_is_named(client: openai.OpenAI) -> None:
    for url in ("data:image/png;base64,AAAA", "https://example.com/a.png", "file:///etc/passwd"):
        part = {"type": "image_url", "image_url": {"url": url}}
        with pytest.raises(openai.BadRequestError) as caught:
            ask(client, messages=[{"role": "user", "content": [part]}])
        assert caught.value.param == "messages[0].content[0].image_url"


def test_another_model_is_not_found(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, model="gpt-4o")
    assert caught.value.code == "model_not_found"


def test_an_error_is_a_status_also_for_a_stream(client: openai.OpenAI) -> None:
    part = image_part(episode().query.visuals[0])
    part["image_url"]["url"] = "data:image/png;base64,AAAA"
    with pytest.raises(openai.BadRequestError):
        ask(client, messages=[{"role": "user", "content": [part]}], stream=True)


def test_a_prompt_that_is_too_long_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        ask(client, messages=[{"role": "user", "content": "word " * 20_000}], stream=True)
    assert caught.value.status_code in (400, 413)
