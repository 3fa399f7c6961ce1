"""Other versions of Keras: the installed one, with names changed in all of its code."""

import gc
import sys
from types import CodeType, FunctionType


def rename(old, new):
    """Rename an attribute, a method or a function in all of Keras."""
    names = {name for name in sys.modules if name.partition(".")[0] == "keras"}
    functions = [one for one in gc.get_objects() if isinstance(one, FunctionType)]
    for function in functions:
        if function.__module__ in names:
            function.__code__ = _renamed(function.__code__, old, new)
    for module in map(sys.modules.get, names):
        for owner in [module, *(one for one in vars(module).values() if isinstance(one, type))]:
            if old in vars(owner):
                setattr(owner, new, vars(owner)[old])
                delattr(owner, old)


def _renamed(code, old, new):
    return code.replace(
        co_name=new if code.co_name == old else code.co_name,
        co_names=tuple(new if name == old else name for name in code.co_names),
        co_consts=tuple(
            _renamed(one, old, new) if isinstance(one, CodeType) else one for one in code.co_consts
        ),
    )


def let_adapters_have(name, *parameters):
    """Let each data adapter of Keras have a method, old or new, that takes these parameters."""
    from keras.src.trainers.data_adapters.data_adapter import DataAdapter

    given = "".join(f", {parameter}=None" for parameter in parameters)
    made = {}
    exec(f"def {name}(self{given}):\n    raise NotImplementedError", made)
    setattr(DataAdapter, name, made[name])
