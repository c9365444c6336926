"""Which model answers: one the user has set up, one that runs on this machine, or a very small one that is fetched."""

import contextlib
import dataclasses
import json
import os
import threading

from . import LOCAL, Trouble, first_model

# Any of these means that the user has set up a provider; the server reads them itself.
CONFIGURED = (
    "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY", "GROQ_API_KEY", "XAI_API_KEY",
    "DEEPSEEK_API_KEY", "TOGETHER_API_KEY", "MISTRAL_API_KEY", "CEREBRAS_API_KEY", "AZURE_API_KEY", "OLLAMA_BASE_URL",
    "LMSTUDIO_BASE_URL", "VLLM_API_BASE", "VLLM_BASE_URL", "LLAMACPP_BASE_URL",
)  # fmt: skip

OTHER_PROVIDERS = """\
To use a stronger model, stop this, set one of these, and start again:
    export OPENAI_API_KEY=...        (or ANTHROPIC_API_KEY, GEMINI_API_KEY, OPENROUTER_API_KEY)
    export OLLAMA_BASE_URL=http://127.0.0.1:11434"""

ADVICE_FIRST_MODEL = f"""
A word about this model: SmolLM2-135M is very small. It shows that everything works, and it runs on any machine, but it
confuses facts, rambles, and cannot call tools, so it will not edit its own memory.
{OTHER_PROVIDERS}
"""


@dataclasses.dataclass
class Provider:
    """What the server has to be told about the model, and what the user should know."""

    environment: dict
    advice: str = ""
    # Whether the model can make use of tools and of a long system prompt.
    capable: bool = True


@contextlib.contextmanager
def ahead():
    """Fetches the small model within the block, if it looks as if it will be needed: while the server is built there is time."""
    if any(found()):
        yield
        return
    fetching = threading.Thread(target=fetch)
    fetching.start()
    try:
        yield
    finally:
        fetching.join()


def fetch():
    # Whatever went wrong is tried again when the model is needed, and told then.
    with contextlib.suppress(Trouble, OSError):
        first_model.install()


@contextlib.contextmanager
def choose():
    """Yields a Provider; a model server that was started for it ends with the block."""
    provider, name = found()
    if provider:
        print(f"Using {name}.")
        yield provider
        return
    print("No provider key is set and no local model server answers, so a very small model will do for now.")
    with first_model.serve() as (base_url, key):
        yield Provider({"LLAMACPP_BASE_URL": base_url, "LLAMACPP_API_KEY": key}, ADVICE_FIRST_MODEL, capable=False)


def found():
    """The provider that is there already, and what it is called; twice None when there is none."""
    names = [name for name in CONFIGURED if os.environ.get(name)]
    if names:
        return Provider({}), f"the provider that the environment sets up: {', '.join(names)}"
    return local()


def local():
    """The first model server that answers on its usual port and has a model, and what it is called."""
    candidates = (
        ("Ollama", 11434, {"OLLAMA_BASE_URL": "http://127.0.0.1:11434"}),
        ("LM Studio", 1234, {"LMSTUDIO_BASE_URL": "http://127.0.0.1:1234"}),
        ("vLLM", 8000, {"VLLM_API_BASE": "http://127.0.0.1:8000"}),
        ("llama.cpp", 8080, {"LLAMACPP_BASE_URL": "http://127.0.0.1:8080"}),
    )
    for name, port, environment in candidates:
        model = first_listed_model(port)
        if model:
            return Provider(environment), f"{name} on port {port}, which offers {model}"
    return None, None


def first_listed_model(port):
    """The id of a model that an OpenAI-compatible server on this port lists, None when there is no such server."""
    # The ports are popular with other servers too: only a well-formed list counts.
    try:
        with LOCAL.open(f"http://127.0.0.1:{port}/v1/models", timeout=2) as answer:
            return json.load(answer)["data"][0]["id"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
