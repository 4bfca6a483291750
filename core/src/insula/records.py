"""`attrs.define` and `attrs.frozen` for classes that every start makes anew.

attrs writes and compiles a `__repr__` for each class, which takes a third of the time that making one takes; of some eighty
classes in a coordinator that is a tenth of a short command. These share one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from attrs import define, frozen
else:
    from functools import partial, wraps

    import attrs

    def _with_shared_repr(make):
        @wraps(make)
        def decorate(cls=None, **options):
            if cls is None:
                return partial(decorate, **options)
            own = "__repr__" in vars(cls)
            made = make(cls, repr=False, **options)
            if not own:
                made.__repr__ = _repr
            return made

        return decorate

    def _repr(self):
        shown = (f"{field.name}={getattr(self, field.name)!r}" for field in attrs.fields(type(self)) if field.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    define, frozen = _with_shared_repr(attrs.define), _with_shared_repr(attrs.frozen)

__all__ = ["define", "frozen"]
