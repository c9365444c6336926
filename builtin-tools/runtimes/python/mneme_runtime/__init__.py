"""The inside of the runtime: how one program is loaded, called and answered for.

Programs have no business here: what they may use lies in the standard library and in `stand_ins/`.
"""
