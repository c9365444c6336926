"""Serves a GGUF model with llama.cpp as an OpenAI-compatible provider on loopback, until standard input closes.

    FIRST_MODEL_KEY=secret python model_server.py model.gguf NAME [PORT]

Prints the base URL as its only line on standard output when the model is loaded; PORT 0, the default, picks a free one.
Its working directory and standard input belong to whoever started it: when that process dies, so does this one.
"""

import os
import sys

import xllamacpp

# The model was trained on 8,192 tokens; more would only cost memory.
CONTEXT_TOKENS = 8192
# llama.cpp's verbosity that still prints errors and nothing else.
ERRORS_ONLY = 1


def parameters(model, name, port):
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    # Without a key any web page that the user opens could talk to the model.
    params.api_keys = [os.environ["FIRST_MODEL_KEY"]]
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = os.cpu_count() or 1
    # A small model rambles less when it is not encouraged to; a request may still say otherwise.
    params.sampling.temp = 0.2
    params.sampling.penalty_repeat = 1.1
    params.verbosity = ERRORS_ONLY
    params.ui = False
    return params


def main():
    model, name, *rest = sys.argv[1:]
    server = xllamacpp.Server(parameters(model, name, int(rest[0]) if rest else 0))
    print(f"{server.listening_address}/v1", flush=True)
    sys.stdin.buffer.read()
    # llama.cpp's threads have nothing to save.
    os._exit(0)


main()
