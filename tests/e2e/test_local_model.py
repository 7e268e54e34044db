"""The road to a real inference server: llama.cpp's `llama-server`, with a model made here.

The model has random weights, so nothing that it says is due to sense: an answer that fits a
schema fits because the server made it.  Skipped unless LLAMA_SERVER names the server's command
(CONTRIBUTING.md says how to come by one).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import jsonschema
import numpy as np
import pytest
from pydantic import Field

from perfwright.core.budget import Usage
from perfwright.errors import MindError
from perfwright.minds.llm.client import Line, Patience, Question, ask
from perfwright.minds.llm.ledger import UnusableError
from perfwright.minds.llm.providers import choose
from perfwright.minds.llm.schemas import Analysis, Answer, Judgement, Proposals, Scores
from perfwright.toolchain.process import Limits, ProcessResult, run

User = Any  # conftest.User: test folders are no packages

ROOT = Path(__file__).resolve().parents[2]
SERVER = os.environ.get("LLAMA_SERVER", "")
WIDTH = 32
LONGEST = Limits(wall=1200.0)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.local_model,
    pytest.mark.skipif(not SERVER, reason="LLAMA_SERVER names no llama-server (CONTRIBUTING.md)"),
]

TEMPLATE = """\
{%- for tool in tools or [] %}{{ tool | tojson }}
{% endfor %}
{%- for message in messages %}<|{{ message.role }}|>
{{ message.content or "" }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}
{% endfor %}
{%- if add_generation_prompt %}<|assistant|>
{% endif %}"""


# --- a model that has learned nothing -------------------------------------------------------


def write_model(path: Path) -> Path:
    """A Llama of one layer over single bytes, with random weights.

    Its output leans in two ways, both by the first channel, which is the same everywhere: to
    ASCII, for random bytes are no UTF-8, and to ending, for else it would babble for long.
    """
    gguf: Any = pytest.importorskip("gguf", reason="pip install gguf")
    kinds = gguf.TokenType
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581"]
    file = gguf.GGUFWriter(path, "llama")
    file.add_context_length(65536)
    file.add_embedding_length(WIDTH)
    file.add_block_count(1)
    file.add_feed_forward_length(WIDTH)
    file.add_head_count(1)
    file.add_layer_norm_rms_eps(1e-5)
    file.add_tokenizer_model("llama")
    file.add_token_list(tokens)
    file.add_token_scores([0.0] * len(tokens))
    special = [kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL]
    file.add_token_types([*special, *[kinds.BYTE] * 256, kinds.NORMAL])
    file.add_unk_token_id(0)
    file.add_bos_token_id(1)
    file.add_eos_token_id(2)
    file.add_chat_template(TEMPLATE)
    for name, values in weights(len(tokens)).items():
        file.add_tensor(f"{name}.weight", values.astype(np.float32))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path


def weights(tokens: int) -> Mapping[str, Any]:
    """The tensors of the model by name, rows first."""
    random = np.random.default_rng(1)
    embedding = random.standard_normal((tokens, WIDTH))
    output = 0.1 * random.standard_normal((tokens, WIDTH))
    embedding[:, 0], output[:, 0] = 1.0, 0.0
    output[3 + 0x80 : 3 + 0x100, 0] = -100.0
    output[2, 0] = 1.0
    norms = ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")
    squares = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    return {
        "token_embd": embedding,
        "output": output,
        **{name: np.ones(WIDTH) for name in norms},
        **{f"blk.0.{name}": 0.02 * random.standard_normal((WIDTH, WIDTH)) for name in squares},
    }


# --- the server ----------------------------------------------------------------------------


@dataclass
class Server:
    """A running `llama-server`.

    Attributes:
        ended: how it ended, once it has.
    """

    port: int
    ended: list[ProcessResult] = field(default_factory=list)

    @property
    def mind(self) -> str:
        """The name of its model as a mind."""
        return f"http://127.0.0.1:{self.port}/v1#tiny"

    def is_ready(self) -> bool:
        """Whether it has loaded its model."""
        assert not self.ended, self.ended[0].explain()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5):
                return True
        except OSError:  # nobody listens yet, or 503: it loads
            return False

    def wait(self) -> None:
        """Until it has loaded its model."""
        deadline = time.monotonic() + 60.0
        while not self.is_ready():
            assert time.monotonic() < deadline, "the server does not come up"
            time.sleep(0.02)


def free_port() -> int:
    """A port of the loopback that nobody has at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def serving(model: Path, *, context: int, port: int) -> Iterator[Server]:
    """Serves the model, on loopback only; perhaps it still loads."""
    command = shutil.which(SERVER)
    assert command, f"LLAMA_SERVER={SERVER}: there is no such command"
    number = model.with_name(f"{port}.pid")
    server = Server(port)
    options = ["--host", "127.0.0.1", "--port", port, "--model", model, "--jinja", "--seed", 1]
    # One slot has the whole context; one thread, for others would spin where cores are busy.
    options += ["--ctx-size", context, "--parallel", 1, "--threads", 1, "--predict", 4096]
    words: list[str | Path] = [number, command, *map(str, options)]
    shell = ["sh", "-c", 'echo $$ >"$0"; exec "$@"', *words]
    thread = threading.Thread(
        target=lambda: server.ended.append(run(shell, limits=LONGEST)), daemon=True
    )
    thread.start()
    try:
        yield server
    finally:
        if thread.is_alive():
            os.kill(int(number.read_text()), signal.SIGKILL)
        thread.join(10.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[Server]:
    with serving(model, context=65536, port=free_port()) as found:
        found.wait()
        yield found


# --- asking it -----------------------------------------------------------------------------


class Choice(Answer):
    """What fits by construction: llama.cpp's grammars know all of these bounds."""

    level: Literal["source", "ir", "pipeline", "asm"]
    rank: int = Field(ge=1, le=9)
    sure: bool
    why: Annotated[str, Field(min_length=1, max_length=40)]
    more: Annotated[list[Literal["a", "b"]], Field(max_length=3)]


class Heard:
    """A recorder that recalls nothing, counts requests and keeps the texts of answers."""

    def __init__(self) -> None:
        self.requests = 0
        self.texts: list[str] = []

    def recall(self, *_: Any) -> Mapping[str, Any] | None:
        return None

    def record(self, *dialogue: Any) -> None:
        parts = dialogue[2]["parts"]
        self.texts.append("".join(part["content"] for part in parts if part["part_kind"] == "text"))

    def sent(self) -> None:
        self.requests += 1

    def used(self) -> Usage:
        return Usage(requests=self.requests)


Lines = Callable[..., tuple[Line, Heard]]
QUESTION = Question("evaluator", "You choose.", "Choose.")


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Makes a line to a mind, and what is heard over it: `lines(server.mind, corrections=2)`."""
    monkeypatch.setattr("pydantic_ai.models.ALLOW_MODEL_REQUESTS", True)

    def make(mind: str, *, constrained: bool = True, **patience: Any) -> tuple[Line, Heard]:
        kept = {"timeout": 120.0, "attempts": 1, "first_wait": 0.05, "corrections": 0, **patience}
        chosen = choose(mind, "evaluator", timeout=120.0)
        assert chosen.constrained
        heard = Heard()
        line = Line(chosen.name, chosen.model, heard, patience=Patience(**kept))
        return replace(line, constrained=constrained), heard

    return make


def test_a_schema_makes_random_weights_answer_at_the_first_try(
    server: Server, lines: Lines
) -> None:
    line, heard = lines(server.mind)
    assert ask(line, QUESTION, Choice).why
    assert heard.requests == 1


def test_without_the_schema_the_same_model_gives_nothing_usable(
    server: Server, lines: Lines
) -> None:
    line, heard = lines(server.mind, constrained=False, corrections=2)
    with pytest.raises(UnusableError, match="not the JSON object"):
        ask(line, QUESTION, Choice)
    assert heard.requests == 3


@pytest.mark.parametrize("kind", [Scores, Analysis, Proposals, Judgement])
def test_answers_of_each_role_keep_all_bounds_that_a_grammar_can_hold(
    server: Server, lines: Lines, kind: type[Answer]
) -> None:
    line, heard = lines(server.mind)
    with suppress(UnusableError):  # a float out of its range
        ask(line, Question("reasoner", "Answer.", "Now."), kind)
    jsonschema.validate(json.loads(heard.texts[0]), without_ranges(kind.model_json_schema()))


def without_ranges(schema: Any) -> Any:
    """A schema whose floats may be anything: llama.cpp's grammars hold ranges of integers only."""
    if isinstance(schema, list):
        return [without_ranges(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    ranges = {"minimum", "maximum"} if schema.get("type") == "number" else set()
    return {key: without_ranges(each) for key, each in schema.items() if key not in ranges}


def test_a_brief_of_full_length_is_taken(server: Server, lines: Lines) -> None:
    line, _ = lines(server.mind)
    brief = "1.1 measured: slower 0.97x, code +120 bytes\n" * 400
    assert len(ask(line, Question("evaluator", "Explain.", brief), Judgement).cause) <= 600


def test_tools_leave_the_answer_free_and_it_is_asked_for_again_without(
    server: Server, lines: Lines
) -> None:
    def explain(name: str) -> str:
        """Explain an option."""
        return f"{name} is an option"

    line, heard = lines(server.mind)
    question = Question("reasoner", "Propose.", "Now.", (explain,), 1)
    assert ask(line, question, Choice).why
    assert heard.requests > 1


def test_a_server_that_starts_and_loads_its_model_is_waited_for(model: Path, lines: Lines) -> None:
    with ExitStack() as stack:
        port = free_port()

        def start_it(seconds: float) -> None:
            if heard.requests == 1:
                stack.enter_context(serving(model, context=4096, port=port))
            time.sleep(seconds)

        line, heard = lines(Server(port).mind, attempts=300, longest_wait=0.1)
        assert ask(replace(line, sleep=start_it), QUESTION, Choice).why
    assert heard.requests > 1


def test_a_context_that_is_too_small_is_named_with_what_sends_less(
    model: Path, lines: Lines
) -> None:
    with serving(model, context=512, port=free_port()) as narrow:
        narrow.wait()
        line, _ = lines(narrow.mind)
        with pytest.raises(MindError, match="exceeds the available context size") as caught:
            ask(line, Question("evaluator", "Explain.", "slower " * 500), Judgement)
    assert "--context-tokens" in str(caught.value)


def test_a_server_that_does_not_run_is_an_error_that_says_to_start_it(lines: Lines) -> None:
    line, _ = lines(Server(free_port()).mind, attempts=2)
    with pytest.raises(MindError, match="start the server") as caught:
        ask(line, QUESTION, Choice)
    assert "perfwright resume last" in str(caught.value)


# --- a campaign ----------------------------------------------------------------------------


@pytest.mark.llvm
@pytest.mark.parametrize("tool_calls", ["0", "6"])
def test_a_campaign_ends_in_the_right_state(server: Server, user: User, tool_calls: str) -> None:
    said = user.types(
        *("tune", ROOT / "suites" / "smoke" / "bits", "--rounds", "1", "--json"),
        *("--mind", server.mind, "--tool-calls", tool_calls, "--mind-timeout", "2m"),
    )
    document = said.document
    # What fits the schema may still be no candidate at all, which ends the search.
    assert (said.status, document["status"]) in {(0, "no-gain"), (5, "failed")}, said.err
    assert document["usage"]["requests"] >= 3
    assert "the analyst's answers were unusable" in said.err
    assert "the built-in rules stood in" in said.err
    if document["status"] == "failed":
        assert "gave no usable answer in 3 drafts" in document["cause"]
        assert "perfwright explain last" in said.err
    again = user.types("replay", "last").err
    assert "the roles make the same of the answers in" in again
    assert "not read" not in again
