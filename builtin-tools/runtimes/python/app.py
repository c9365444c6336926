"""What the component is made from: importing this module fills the snapshot, `Interpreter` answers the host."""

import bake

from componentize_py_types import Err, Ok
from mneme_runtime import program
from wit_world import exports
from wit_world.exports import interpreter as wire

bake.everything()


class Interpreter(exports.Interpreter):
    """The exported interface; the work is done in `mneme_runtime.program`."""

    def run(self, asked: wire.Program) -> wire.Outcome:
        call = None
        if isinstance(asked.action, wire.Action_Call):
            call = program.Call(asked.action.value.function, asked.action.value.arguments)
        done = program.run(
            program.Program(asked.source, asked.filename, call, dict(asked.environment), asked.agent_state)
        )
        displays = [wire.Display(media_type, data) for media_type, data in done.displays]
        return wire.Outcome(value=_value(done), displays=displays)


def _value(done):
    if done.invalid is not None:
        return Err(wire.Failure_InvalidArguments(done.invalid))
    if done.raised is not None:
        return Err(wire.Failure_Raised(wire.Raised(*done.raised)))
    if done.value is None:
        return Ok(None)
    return Ok(wire.Value(json=done.value.json, text=done.value.text))
